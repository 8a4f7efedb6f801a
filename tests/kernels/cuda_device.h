#pragma once
// A CUDA device for tests of kernels, straight over the runtime: what they need of it and no more.

#include <memory>
#include <string>

#include "bench/device/device.h"

namespace bench::kernels::test {

// Why there is no CUDA device here, or "".
std::string why_no_cuda();

// Device 0. Throws EnvironmentError.
std::unique_ptr<Device> make_cuda_device();

}  // namespace bench::kernels::test
