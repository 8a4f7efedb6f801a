#pragma once
// Errors of CUDA calls as exceptions.

#include <cuda_runtime_api.h>

#include "bench/device/device.h"

namespace bench {

[[noreturn]] void throw_cuda(cudaError_t status, const char* doing);

// Throws std::runtime_error that names `doing` unless the call went well: what one case does wrong
// is its failure, not the run's.
inline void check_cuda(cudaError_t status, const char* doing) {
  if (status != cudaSuccess) throw_cuda(status, doing);
}

inline cudaStream_t native(Stream s) { return static_cast<cudaStream_t>(s.native); }

}  // namespace bench
