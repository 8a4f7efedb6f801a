// The profiler plugin: counts collectives by function, algorithm and protocol. NCCL calls it from
// several threads.
#include <map>
#include <mutex>
#include <string>

#include "parallel/comm/nccl/profiler_interface.h"

namespace bench {
namespace {

class Record {
 public:
  static Record& get() {
    static Record the_record;
    return the_record;
  }

  void begin(int* mask) {
    const std::scoped_lock lock(mutex_);
    mask_ = mask;
    *mask_ = wanted_;
  }
  void turn(bool on) {
    const std::scoped_lock lock(mutex_);
    wanted_ = on ? kNcclProfileCollective : 0;
    if (mask_ != nullptr) *mask_ = wanted_;
  }
  void add(const NcclCollectiveEvent& e) {
    const auto text = [](const char* t) { return std::string(t != nullptr ? t : "unknown"); };
    const std::scoped_lock lock(mutex_);
    ++counts_[text(e.function) + "." + text(e.algorithm) + "." + text(e.protocol)];
  }
  const char* read() {
    const std::scoped_lock lock(mutex_);
    told_.clear();
    for (const auto& [name, count] : counts_) told_ += std::to_string(count) + " " + name + "\n";
    counts_.clear();
    return told_.c_str();
  }

 private:
  std::mutex mutex_;
  int* mask_ = nullptr;  // NCCL's, once it has opened the plugin
  int wanted_ = 0;
  std::map<std::string, int> counts_;
  std::string told_;
};

int init(void** context, int* mask) {
  *context = &Record::get();
  Record::get().begin(mask);
  return 0;
}

// NCCL tells only of events whose parents it got a handle for.
int start_event(void* context, void** handle, NcclEvent* event) {
  *handle = context;
  if (event->type == kNcclProfileCollective) Record::get().add(event->collective);
  return 0;
}

int stop_event(void*) { return 0; }
int record_state(void*, int, void*) { return 0; }
int finalize(void*) { return 0; }

}  // namespace
}  // namespace bench

extern "C" {

__attribute__((visibility("default"))) extern const NcclProfilerV3 ncclProfiler_v3;
const NcclProfilerV3 ncclProfiler_v3 = {.name = "bench",
                                        .init = bench::init,
                                        .start_event = bench::start_event,
                                        .stop_event = bench::stop_event,
                                        .record_state = bench::record_state,
                                        .finalize = bench::finalize};

__attribute__((visibility("default"))) void bench_nccl_record_switch(int on) {
  bench::Record::get().turn(on != 0);
}
__attribute__((visibility("default"))) const char* bench_nccl_record_read() {
  return bench::Record::get().read();
}

}  // extern "C"
