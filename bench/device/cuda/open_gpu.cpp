#include "bench/device/cuda/open_gpu.h"

#include <dlfcn.h>
#include <fmt/format.h>

#include "bench/base/status.h"

namespace bench {

std::unique_ptr<GpuDevice> open_gpu(const std::filesystem::path& module_dir,
                                    const GpuRequest& request) {
  const std::filesystem::path file = module_dir / "bench_device_cuda.so";
  if (!std::filesystem::exists(file))
    throw EnvironmentError(
        fmt::format("this build has no CUDA module ({} is not there): build where nvcc is, or with "
                    "-DBENCH_CUDA=ON, which says what it lacks",
                    file.string()));
  void* module = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (module == nullptr)
    throw EnvironmentError(fmt::format("the CUDA module cannot be opened: {}", dlerror()));
  const auto entry = reinterpret_cast<GpuEntry>(dlsym(module, kGpuEntryName));
  if (entry == nullptr)
    throw EnvironmentError(
        fmt::format("{} is not this program's CUDA module: {}", file.string(), dlerror()));
  return std::unique_ptr<GpuDevice>(entry(request));
}

}  // namespace bench
