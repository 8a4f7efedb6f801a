#pragma once
// Clocks, power and temperature of a GPU by NVIDIA's management library, which comes with the
// driver and is opened at run time. Where it is absent or refuses, readings are empty.

#include <string>

#include "bench/device/gpu_device.h"

namespace bench {

class Nvml {
 public:
  // Of the GPU with this uuid ("GPU-…").
  explicit Nvml(const std::string& uuid);
  ~Nvml();
  Nvml(const Nvml&) = delete;
  Nvml& operator=(const Nvml&) = delete;

  const std::string& why_not() const { return why_not_; }  // "": it can be read
  std::string driver_version() const;                      // "580.65.06"; "" when not known
  GpuHealth read() const;

  // NVML's bit mask of clock event reasons as GpuThrottle. Idle clocks and clocks that somebody set
  // are none.
  static uint32_t throttle_of(uint64_t reasons);

 private:
  using Handle = void*;
  struct Calls {
    int (*init)() = nullptr;
    int (*shutdown)() = nullptr;
    const char* (*error_string)(int) = nullptr;
    int (*system_driver_version)(char*, unsigned) = nullptr;
    int (*handle_by_uuid)(const char*, Handle*) = nullptr;
    int (*clock_info)(Handle, int, unsigned*) = nullptr;
    int (*power_usage)(Handle, unsigned*) = nullptr;
    int (*temperature)(Handle, int, unsigned*) = nullptr;
    int (*clock_reasons)(Handle, unsigned long long*) = nullptr;
  };

  std::string open(const std::string& uuid);  // why not
  bool find_calls(void* library);

  Calls calls_;
  bool initialised_ = false;
  Handle gpu_ = nullptr;
  std::string why_not_;
};

}  // namespace bench
