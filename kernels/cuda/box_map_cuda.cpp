#include <cudaTypedefs.h>
#include <cuda_runtime_api.h>
#include <fmt/format.h>

#include "bench/base/status.h"
#include "kernels/cuda/box_map.h"
#include "kernels/cuda/check.h"

namespace bench::kernels::cuda {
namespace {

// From the driver by way of the runtime, so that nothing has to be linked with the driver.
PFN_cuTensorMapEncodeTiled_v12000 encoder() {
  static const auto found = [] {
    void* function = nullptr;
    cudaDriverEntryPointQueryResult result{};
    check(cudaGetDriverEntryPointByVersion("cuTensorMapEncodeTiled", &function, 12000,
                                           cudaEnableDefault, &result),
          "looking for cuTensorMapEncodeTiled");
    if (result != cudaDriverEntryPointSuccess)
      throw EnvironmentError("this CUDA driver has no cuTensorMapEncodeTiled; it needs 12.0");
    return reinterpret_cast<PFN_cuTensorMapEncodeTiled_v12000>(function);
  }();
  return found;
}

int attribute(cudaDeviceAttr which) {
  int device = 0, value = 0;
  check(cudaGetDevice(&device), "asking for the device");
  check(cudaDeviceGetAttribute(&value, which, device), "asking for the compute capability");
  return value;
}

}  // namespace

std::pair<int, int> compute_capability() {
  static const int major = attribute(cudaDevAttrComputeCapabilityMajor);
  static const int minor = attribute(cudaDevAttrComputeCapabilityMinor);
  return {major, minor};
}

void require_hopper(const char* variant, const char* other) {
  const auto [major, minor] = compute_capability();
  if (major == 9 && minor == 0) return;
  throw EnvironmentError(
      fmt::format("{} needs compute capability 9.0, this device has {}.{}; take --variant {}",
                  variant, major, minor, other));
}

CUtensorMap box_map(const void* memory, int64_t columns, int64_t rows, int64_t sequences) {
  const cuuint64_t extents[] = {static_cast<cuuint64_t>(columns), static_cast<cuuint64_t>(rows),
                                static_cast<cuuint64_t>(sequences)};
  const cuuint64_t strides[] = {2 * extents[0], 2 * extents[0] * extents[1]};  // bytes
  const cuuint32_t box[] = {64, 64, 1}, steps[] = {1, 1, 1};
  CUtensorMap map;
  const CUresult status =
      encoder()(&map, CU_TENSOR_MAP_DATA_TYPE_BFLOAT16, 3, const_cast<void*>(memory), extents,
                strides, box, steps, CU_TENSOR_MAP_INTERLEAVE_NONE, CU_TENSOR_MAP_SWIZZLE_128B,
                CU_TENSOR_MAP_L2_PROMOTION_L2_256B, CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE);
  if (status != CUDA_SUCCESS)
    throw EnvironmentError(fmt::format("CUDA, describing a tensor [{}, {}, {}]: error {}",
                                       sequences, rows, columns, static_cast<int>(status)));
  return map;
}

}  // namespace bench::kernels::cuda
