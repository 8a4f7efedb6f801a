#pragma once
// What every CUDA file of the kernels uses: errors as exceptions, the stream of a context. Knows no
// fmt, which nvcc cannot compile.

#include <cuda_runtime_api.h>

#include <cstddef>

#include "bench/device/context.h"

namespace bench::kernels::cuda {

[[noreturn]] void throw_error(cudaError_t status, const char* doing);

// Throws EnvironmentError that names `doing` unless the call went well.
inline void check(cudaError_t status, const char* doing) {
  if (status != cudaSuccess) throw_error(status, doing);
}

// After every launch: whether it could be launched at all.
inline void check_launch(const char* kernel) { check(cudaGetLastError(), kernel); }

// Before a launch with more of it than a kernel gets unasked. Throws EnvironmentError that names
// `what` where a thread block of this device cannot have so much.
void allow_shared_memory(const void* kernel, size_t bytes, const char* what);

inline cudaStream_t stream_of(const Context& context) {
  return static_cast<cudaStream_t>(context.stream.native);
}

}  // namespace bench::kernels::cuda
