// A module of GPUs that are none, in the place of the real one: --device cuda as a whole, on any
// machine. FAKE_GPU_MISSING names local ranks that have none, FAKE_GPU_ONE puts all ranks on one,
// FAKE_GPU_SPEED is the host's time of a sample over the device's, FAKE_GPU_HOT throttles.
#include <cstdlib>
#include <string>

#include "bench/base/status.h"
#include "tests/device/fake_gpu.h"

namespace bench::test {
namespace {

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

class ModuleGpu final : public FakeGpu {
 public:
  explicit ModuleGpu(const GpuRequest& request) : FakeGpu(request) {
    if (!variable("FAKE_GPU_ONE").empty()) info_.uuid = "GPU-the-one";
    if (!variable("FAKE_GPU_SPEED").empty())
      device_per_host = 1 / std::strtod(variable("FAKE_GPU_SPEED").c_str(), nullptr);
    now = {.sm_clock_mhz = 1980, .memory_clock_mhz = 3201, .power_w = 600, .temperature_c = 55};
    if (!variable("FAKE_GPU_HOT").empty()) now.throttled_by = kThrottlePowerCap;
  }
  // Ranges take no time: the host's is told by the split's step.
  std::vector<int64_t> read_stamps() override {
    return std::vector<int64_t>(std::exchange(stamped, {}).size());
  }
  // Clocks go down, and power up, as long as one looks.
  GpuHealth health() override {
    *now.sm_clock_mhz -= 1;
    *now.power_w += 1;
    return now;
  }
};

}  // namespace
}  // namespace bench::test

extern "C" __attribute__((visibility("default"))) bench::GpuDevice* bench_device_cuda_create(
    const bench::GpuRequest& request) {
  if (bench::test::variable("FAKE_GPU_MISSING").find(std::to_string(request.local_rank)) !=
      std::string::npos)
    throw bench::EnvironmentError("the planted driver shows no GPU");
  return new bench::test::ModuleGpu(request);
}
