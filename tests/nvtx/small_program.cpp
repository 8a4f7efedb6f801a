// Opens a few ranges the way the host and a plugin do.

#include <string>

#include "bench/base/clock.h"
#include "bench/trace/recorder.h"

namespace {

void layer(bench::trace::Recorder& tracer, int64_t index) {
  // A plugin's text that is gone after pop, at an address that is used again.
  std::string name = "layer." + std::string(index % 2 == 0 ? "even" : "odd.");
  tracer.push({}, name.c_str(), index);
  tracer.push({}, "attention", -1);
  tracer.pop({});
  tracer.pop({});
  name.assign(name.size(), 'x');
}

}  // namespace

int main() {
  bench::SteadyClock clock;
  bench::trace::Recorder tracer(clock);
  tracer.push({}, "step", int64_t{1} << 40);
  for (int64_t i = 0; i < 3; ++i) layer(tracer, i);
  tracer.pop({});
  tracer.pop({});  // one too many: must not reach the tool
  tracer.push({}, "left.open", 0);
  return 0;  // closed by the recorder's end
}
