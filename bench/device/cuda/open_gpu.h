#pragma once
// Opens the GPU's module: the program itself needs no CUDA library.

#include <filesystem>
#include <memory>

#include "bench/device/gpu_device.h"

namespace bench {

// From <module_dir>/bench_device_cuda.so. Throws EnvironmentError whose words say what is missing:
// the module, the driver, a GPU.
std::unique_ptr<GpuDevice> open_gpu(const std::filesystem::path& module_dir,
                                    const GpuRequest& request);

}  // namespace bench
