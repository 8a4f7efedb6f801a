#include <fmt/format.h>

#include "bench/base/status.h"
#include "kernels/cuda/check.h"

namespace bench::kernels::cuda {

void throw_error(cudaError_t status, const char* doing) {
  cudaGetLastError();  // told here; the next launch must not find it
  throw EnvironmentError(fmt::format("CUDA, {}: {} ({})", doing, cudaGetErrorString(status),
                                     cudaGetErrorName(status)));
}

}  // namespace bench::kernels::cuda
