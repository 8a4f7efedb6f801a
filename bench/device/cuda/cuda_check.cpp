#include "bench/device/cuda/cuda_check.h"

#include <fmt/format.h>

#include <stdexcept>

namespace bench {

void throw_cuda(cudaError_t status, const char* doing) {
  throw std::runtime_error(fmt::format("CUDA, {}: {} ({})", doing, cudaGetErrorString(status),
                                       cudaGetErrorName(status)));
}

}  // namespace bench
