#pragma once
// The host's tracer: shows ranges to NVTX tools, knows at every moment which range is innermost
// (for whoever has to say where a rank is stuck), and on request sums up time per range name: the
// host's, or that of a device whose streams pass the ranges later than the host.

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "bench/base/clock.h"
#include "bench/device/context.h"
#include "bench/device/gpu_device.h"
#include "bench/trace/ranges.h"

namespace bench::trace {

// push, pop, record and the sums belong to one thread; innermost may be read from any.
class Recorder final : public Tracer {
 public:
  explicit Recorder(Clock& clock);
  ~Recorder() override;

  void push(Stream s, const char* name, int64_t payload) override;
  // Without an open range: nothing, a plugin's mistake must not end the run.
  void pop(Stream s) override;

  // Name of the innermost open range, "" outside all. Lives as long as the recorder.
  const char* innermost() const { return innermost_.load(std::memory_order_acquire); }
  int depth() const { return static_cast<int>(open_.size()); }

  // Ranges that are recorded from now on are timed by when their streams pass them. The device must
  // outlive what is recorded.
  void time_on(GpuDevice& device) { device_ = &device; }
  bool on_device() const { return device_ != nullptr; }

  // Off at first. On: sums start from zero, with the ranges pushed from now on and popped before it
  // is off; with a device's times they are known from then on only. Waits for the device.
  void record(bool on);
  bool recording() const override { return recording_; }
  // Seconds from push to pop, per name; a range inside one of the same name counts once.
  std::map<std::string, double> totals_s() const;
  // The same without what ranges inside it took: over all names these add up to the outermost
  // ranges' time.
  std::map<std::string, double> exclusive_s() const;

 private:
  // One a distinct text: pushed names may vanish after pop, these stay.
  struct Named {
    std::string text;
    Ranges::Name handle = nullptr;
  };
  struct Open {
    Named* named = nullptr;
    bool recorded = false;
  };
  // A range's begin, or the end of the one begun last.
  struct Mark {
    const Named* begun = nullptr;  // null: an end
    int64_t ns = 0;
  };
  struct Sums {
    int open = 0;  // ranges of this name that are open
    int64_t count = 0;
    int64_t total_ns = 0, exclusive_ns = 0;
  };

  Named& named(const char* name);
  void mark(Stream s, const Named* begun);
  std::map<const Named*, Sums> add_up() const;

  Clock& clock_;
  GpuDevice* device_ = nullptr;
  Ranges ranges_;
  std::vector<std::unique_ptr<Named>> names_;
  std::unordered_map<std::string_view, Named*> by_text_;
  std::unordered_map<const void*, Named*> by_address_;  // literals come from few addresses
  std::vector<Open> open_;
  std::vector<Mark> marks_;
  std::atomic<const char*> innermost_;
  bool recording_ = false;
};

}  // namespace bench::trace
