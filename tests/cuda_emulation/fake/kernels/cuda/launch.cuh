#pragma once
// In the place of kernels/cuda/launch.cuh: what a kernel's file says of the host. Nothing of it is
// called; a test launches the kernel itself.

#include <cstddef>

#include "bench/device/context.h"
#include "tests/cuda_emulation/words.h"

enum cudaDeviceAttr {
  cudaDevAttrMaxSharedMemoryPerBlockOptin,
  cudaDevAttrMaxSharedMemoryPerMultiprocessor,
  cudaDevAttrReservedSharedMemoryPerBlock
};
int cudaGetDevice(int* device);
int cudaDeviceGetAttribute(int* value, cudaDeviceAttr which, int device);

namespace bench::kernels::cuda {

struct LaunchShape {
  unsigned blocks, threads;
  size_t shared_bytes = 0;
};

void check(int status, const char* doing);

template <class... Arguments>
void launch(const Context&, const char*, const LaunchShape&, const Arguments&...);

}  // namespace bench::kernels::cuda
