#include "bench/measure/sample_timer.h"

namespace bench::measure {
namespace {

constexpr int kGatesToTry = 3;

}  // namespace

SampleTime HostTimer::time(Subject& subject, int64_t iterations) {
  const int64_t start = clock_.now_ns();
  subject.enqueue(iterations);
  subject.synchronize();
  return {.seconds = static_cast<double>(clock_.now_ns() - start) * 1e-9, .launch_bound = false};
}

SampleTime DeviceTimer::time(Subject& subject, int64_t iterations) {
  const StreamTime time =
      device_.time(subject.stream(), start_, [&] { subject.enqueue(iterations); });
  subject.synchronize();
  if (start_.gated && !time.gate_held) start_.gated = ++expired_ < kGatesToTry;
  return {.seconds = time.device_s, .launch_bound = time.enqueue_s > time.device_s};
}

}  // namespace bench::measure
