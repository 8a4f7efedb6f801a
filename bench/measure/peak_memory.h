#pragma once
// The most memory that was held at once, above what was held at the start.

#include <optional>
#include <string>

#include "bench/device/gpu_device.h"

namespace bench::measure {

class PeakMemory {
 public:
  virtual ~PeakMemory() = default;
  // From here on.
  virtual void begin() = 0;
  // What happens until resume does not count: a check and its oracle.
  virtual void pause() = 0;
  virtual void resume() = 0;
  // Bytes; empty when not begun, or not known here.
  virtual std::optional<double> net_bytes() = 0;
  // Of these, what was not given by the device's own keeping. Empty where that is not told apart.
  virtual std::optional<double> beside_bytes() const { return {}; }
};

// Of this process: the kernel's high-water mark of resident memory (VmHWM), which writing 5 to
// clear_refs sets back (proc(5)).
class HostPeakMemory final : public PeakMemory {
 public:
  explicit HostPeakMemory(std::string proc_folder = "/proc/self");

  // Why the mark cannot be set back or read here; empty: it can.
  static std::string why_not(const std::string& proc_folder = "/proc/self");

  // Gives freed memory back first, so that what is allocated next is new.
  void begin() override;
  void pause() override;
  void resume() override;
  std::optional<double> net_bytes() override;

 private:
  void mark();
  void take();

  std::string proc_folder_;
  bool counting_ = false;
  std::optional<double> baseline_, peak_;
};

// Of a GPU: what was given to this rank's cases, by the device's own mark, and what disappeared
// beside that, such as ops' scratch memory and libraries' workspaces.
class GpuPeakMemory final : public PeakMemory {
 public:
  // shared: others take memory of this GPU, too, so that what disappears says nothing.
  GpuPeakMemory(GpuDevice& device, bool shared) : device_(device), shared_(shared) {}

  void begin() override;
  void pause() override;
  void resume() override;
  std::optional<double> net_bytes() override;
  std::optional<double> beside_bytes() const override;

 private:
  std::optional<GpuMemory> look() noexcept;
  void take();
  double beside(const GpuMemory& now) const;

  GpuDevice& device_;
  bool shared_;
  bool known_ = false, counting_ = false;
  double baseline_ = 0, beside_baseline_ = 0, peak_ = 0, beside_at_pause_ = 0, most_beside_ = 0;
};

}  // namespace bench::measure
