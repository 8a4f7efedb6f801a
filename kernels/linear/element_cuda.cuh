#pragma once
// Elements as the device stores them, read and written as float.

#include <cuda_bf16.h>

#include <type_traits>

#include "bench/base/bfloat16.h"

namespace bench::kernels::cuda {

template <class T>
using Stored = std::conditional_t<std::is_same_v<T, bfloat16>, __nv_bfloat16, T>;

__device__ inline float wide(float x) { return x; }
__device__ inline float wide(__nv_bfloat16 x) { return __bfloat162float(x); }

__device__ inline void put(float* to, float x) { *to = x; }
__device__ inline void put(__nv_bfloat16* to, float x) { *to = __float2bfloat16_rn(x); }

}  // namespace bench::kernels::cuda
