#pragma once
// What the measuring half asks of a device that works beside the host: time on its own clock, cold
// caches, memory, health. Plugins see the Device alone. The one implementation is in a module that
// is opened when it is asked for (cuda/open_gpu.h).

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "bench/device/device.h"

namespace bench {

// Ahead of a timed piece of work.
struct StreamStart {
  // The device starts only when everything has been handed over, so that the time holds no launch.
  // An enqueue that waits for the device ends the gate after some milliseconds.
  bool gated = false;
  // Given to the stream behind the gate and outside the time: what brings ranks to one start, say.
  // May be empty.
  std::function<void(Stream)> align = {};
};

// Of one timed piece of work.
struct StreamTime {
  double device_s = 0;     // from the first of it to the last, on the stream
  double enqueue_s = 0;    // what the host took to hand it over
  bool gate_held = false;  // it was handed over completely before the device began
};

// Bytes. in_use counts what allocate gave, rounded up; reserved is what it keeps of the device to
// give again, in use or not.
struct GpuMemory {
  uint64_t in_use = 0, peak_in_use = 0, reserved = 0;
  uint64_t free = 0, total = 0;  // of the whole device, whoever uses it
};

// Reasons for a clock below what was asked for.
enum GpuThrottle : uint32_t {
  kThrottlePowerCap = 1,
  kThrottleThermal = 2,
  kThrottlePowerBrake = 4,
  kThrottleSyncBoost = 8,
  kThrottleHardware = 16,  // of its own accord, beyond the above
};

// Now. Empty where the driver does not say.
struct GpuHealth {
  std::optional<double> sm_clock_mhz, memory_clock_mhz, power_w, temperature_c;
  uint32_t throttled_by = 0;  // of GpuThrottle
};

// What does not change.
struct GpuFacts {
  std::string runtime, driver;  // "13.0", "580.65.06 (CUDA 13.0)"
  std::string compute_capability;
  std::string pci_bus_id;
  int multiprocessors = 0;
  int numa_node = -1;  // -1: not known
  double most_sm_clock_mhz = 0, most_memory_clock_mhz = 0;
  uint64_t total_memory_bytes = 0;
  std::string choice;         // which of how many GPUs and why
  std::string no_health_why;  // why GpuHealth stays empty; "" where it does not
};

// One thread uses it.
class GpuDevice : public Device {
 public:
  virtual const GpuFacts& facts() const = 0;

  // How many ranks use this GPU: info() tells this rank's share of its memory from then on.
  virtual void share_among(int ranks) = 0;

  // Times what `enqueue` gives to the stream, between two marks on it, and waits for it. Throws
  // what enqueue throws, and std::runtime_error for an error of the device.
  virtual StreamTime time(Stream s, const StreamStart& start,
                          const std::function<void()>& enqueue) = 0;

  // Marks a place in what is given to the stream. An error shows when stamps are read.
  virtual void stamp(Stream s) noexcept = 0;
  // When streams passed the marks since the last reading: nanoseconds after the first one, in the
  // order in which they were made. Waits for all of them.
  virtual std::vector<int64_t> read_stamps() = 0;

  // Fills the last-level cache with clean lines of its own; returns when that is done. The first
  // call allocates, beside what memory() counts as in use.
  virtual void evict_cache() = 0;

  virtual GpuMemory memory() = 0;
  virtual void reset_memory_peak() = 0;  // to what is in use
  virtual GpuHealth health() = 0;
};

// What a GPU is chosen by and made with.
struct GpuRequest {
  int local_rank = 0, local_size = 1;  // among the ranks of this host
  int threads = 1;                     // CPU threads this rank may use
};

// The module's one symbol, of this type. Throws EnvironmentError: why no GPU can be used here.
inline constexpr const char* kGpuEntryName = "bench_device_cuda_create";
using GpuEntry = GpuDevice* (*)(const GpuRequest&);

}  // namespace bench
