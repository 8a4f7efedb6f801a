#include "bench/device/cuda/nvml.h"

#include <dlfcn.h>
#include <fmt/format.h>

namespace bench {
namespace {

// Of nvml.h, whose numbers are part of its ABI.
constexpr int kSuccess = 0;
constexpr int kClockSm = 1, kClockMemory = 2;
constexpr int kTemperatureGpu = 0;
constexpr unsigned kVersionLength = 80;
enum ClockReasons : uint64_t {
  kSwPowerCap = 0x4,
  kHwSlowdown = 0x8,
  kSyncBoost = 0x10,
  kSwThermal = 0x20,
  kHwThermal = 0x40,
  kHwPowerBrake = 0x80,
};

template <class F>
bool find(void* library, const char* name, F& function) {
  function = reinterpret_cast<F>(dlsym(library, name));
  return function != nullptr;
}

// What `call` writes, times `unit`; empty when it does not succeed.
template <class Call>
std::optional<double> reading(const Call& call, double unit) {
  unsigned value = 0;
  if (call(&value) != kSuccess) return {};
  return unit * value;
}

}  // namespace

uint32_t Nvml::throttle_of(uint64_t reasons) {
  uint32_t by = 0;
  if ((reasons & kSwPowerCap) != 0) by |= kThrottlePowerCap;
  if ((reasons & (kSwThermal | kHwThermal)) != 0) by |= kThrottleThermal;
  if ((reasons & kHwPowerBrake) != 0) by |= kThrottlePowerBrake;
  if ((reasons & kSyncBoost) != 0) by |= kThrottleSyncBoost;
  // Set beside the two reasons of the hardware's that have a name, or alone.
  if ((reasons & kHwSlowdown) != 0 && (reasons & (kHwThermal | kHwPowerBrake)) == 0)
    by |= kThrottleHardware;
  return by;
}

Nvml::Nvml(const std::string& uuid) : why_not_(open(uuid)) {}

Nvml::~Nvml() {
  if (initialised_) calls_.shutdown();
}

bool Nvml::find_calls(void* library) {
  // The reasons' function was renamed; drivers before 535 know the old name only.
  return find(library, "nvmlInit_v2", calls_.init) &&
         find(library, "nvmlShutdown", calls_.shutdown) &&
         find(library, "nvmlErrorString", calls_.error_string) &&
         find(library, "nvmlSystemGetDriverVersion", calls_.system_driver_version) &&
         find(library, "nvmlDeviceGetHandleByUUID", calls_.handle_by_uuid) &&
         find(library, "nvmlDeviceGetClockInfo", calls_.clock_info) &&
         find(library, "nvmlDeviceGetPowerUsage", calls_.power_usage) &&
         find(library, "nvmlDeviceGetTemperature", calls_.temperature) &&
         (find(library, "nvmlDeviceGetCurrentClocksEventReasons", calls_.clock_reasons) ||
          find(library, "nvmlDeviceGetCurrentClocksThrottleReasons", calls_.clock_reasons));
}

std::string Nvml::open(const std::string& uuid) {
  void* library = dlopen("libnvidia-ml.so.1", RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) return fmt::format("NVML cannot be opened: {}", dlerror());
  if (!find_calls(library)) return "this NVML lacks functions that clocks are read with";
  if (const int status = calls_.init(); status != kSuccess)
    return fmt::format("NVML does not start: {}", calls_.error_string(status));
  initialised_ = true;
  if (const int status = calls_.handle_by_uuid(uuid.c_str(), &gpu_); status != kSuccess) {
    gpu_ = nullptr;
    return fmt::format("NVML does not show {}: {}", uuid, calls_.error_string(status));
  }
  return {};
}

std::string Nvml::driver_version() const {
  char text[kVersionLength] = {};
  if (!initialised_ || calls_.system_driver_version(text, kVersionLength) != kSuccess) return {};
  return text;
}

GpuHealth Nvml::read() const {
  GpuHealth health;
  if (gpu_ == nullptr) return health;
  const auto clock = [&](int which) {
    return reading([&](unsigned* mhz) { return calls_.clock_info(gpu_, which, mhz); }, 1);
  };
  health.sm_clock_mhz = clock(kClockSm);
  health.memory_clock_mhz = clock(kClockMemory);
  health.power_w = reading([&](unsigned* mw) { return calls_.power_usage(gpu_, mw); }, 1e-3);
  health.temperature_c =
      reading([&](unsigned* c) { return calls_.temperature(gpu_, kTemperatureGpu, c); }, 1);
  unsigned long long reasons = 0;
  if (calls_.clock_reasons(gpu_, &reasons) == kSuccess) health.throttled_by = throttle_of(reasons);
  return health;
}

}  // namespace bench
