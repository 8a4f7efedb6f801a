#include <fmt/format.h>

#include "bench/base/status.h"
#include "kernels/cuda/check.h"

namespace bench::kernels::cuda {

void throw_error(cudaError_t status, const char* doing) {
  cudaGetLastError();  // told here; the next launch must not find it
  throw EnvironmentError(fmt::format("CUDA, {}: {} ({})", doing, cudaGetErrorString(status),
                                     cudaGetErrorName(status)));
}

// What the device has for a block differs by kind: 227 KiB on sm_90, 163 on sm_80, 99 on sm_86.
void allow_shared_memory(const void* kernel, size_t bytes, const char* what) {
  static const int most = [] {
    int device = 0, value = 0;
    check(cudaGetDevice(&device), "asking for the device");
    check(cudaDeviceGetAttribute(&value, cudaDevAttrMaxSharedMemoryPerBlockOptin, device),
          "asking for the shared memory of a thread block");
    return value;
  }();
  if (bytes > static_cast<size_t>(most)) {
    throw EnvironmentError(fmt::format(
        "{} needs {} bytes of shared memory in a thread block, this device gives {}; take another "
        "variant of the op (bench list shows them)",
        what, bytes, most));
  }
  check(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize,
                             static_cast<int>(bytes)),
        what);
}

}  // namespace bench::kernels::cuda
