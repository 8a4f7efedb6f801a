#pragma once
// How long a sample takes, by the clock of where the work runs.

#include <cstdint>
#include <string_view>
#include <utility>

#include "bench/base/clock.h"
#include "bench/device/gpu_device.h"
#include "bench/measure/subject.h"

namespace bench::measure {

struct SampleTime {
  double seconds = 0;         // of all iterations together
  bool launch_bound = false;  // handing them over took longer than running them
};

class SampleTimer {
 public:
  virtual ~SampleTimer() = default;
  // Enqueues so many iterations and waits for them. Throws what the subject throws.
  virtual SampleTime time(Subject& subject, int64_t iterations) = 0;
  virtual std::string_view clock() const = 0;  // "host", "device"
  // Brings the ranks to one start by itself, on their devices.
  virtual bool aligns() const { return false; }
};

// From the call to the end of the waiting.
class HostTimer final : public SampleTimer {
 public:
  explicit HostTimer(Clock& clock) : clock_(clock) {}
  SampleTime time(Subject& subject, int64_t iterations) override;
  std::string_view clock() const override { return "host"; }

 private:
  Clock& clock_;
};

// Between two marks on the subject's stream, behind a gate where that is wanted: then the time
// holds no launches. An enqueue that waits for its own work cannot be gated: noticed after a few
// samples, and the gate stays open from then on.
class DeviceTimer final : public SampleTimer {
 public:
  DeviceTimer(GpuDevice& device, StreamStart start) : device_(device), start_(std::move(start)) {}
  SampleTime time(Subject& subject, int64_t iterations) override;
  std::string_view clock() const override { return "device"; }
  bool aligns() const override { return start_.align != nullptr; }
  bool gated() const { return start_.gated; }

 private:
  GpuDevice& device_;
  StreamStart start_;
  int expired_ = 0;
};

}  // namespace bench::measure
