#pragma once
// What the device does in an instruction or two and C++ has no word for.

#include <cuda_bf16.h>
#include <cuda_runtime.h>

#include <cstdint>

namespace bench::kernels::cuda {

constexpr int kWarp = 32;

// 2^x to about 2^-22 of it; 0 below -126, infinity from 128 on, NaN for NaN.
__device__ inline float fast_exp2(float x) {
  float y;
  asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
}

// x, which the compiler must compute for it, whatever becomes of it.
__device__ inline uint32_t used(uint32_t x) {
  asm volatile("" : "+r"(x));
  return x;
}

// 1 / x to about 2^-23 of it.
__device__ inline float fast_reciprocal(float x) {
  float y;
  asm("rcp.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
}

// Two bfloat16, rounded to the nearest, ties to even; `low` in the lower half.
__device__ inline uint32_t bf16_pair(float low, float high) {
  const __nv_bfloat162 both = __floats2bfloat162_rn(low, high);
  return *reinterpret_cast<const uint32_t*>(&both);
}

__device__ inline uint16_t bf16_bits(float x) {
  return __bfloat16_as_ushort(__float2bfloat16_rn(x));
}

// What the lane whose number differs by `mask` has.
template <class T>
__device__ T from_lane_xor(T x, int mask) {
  return __shfl_xor_sync(0xffffffffu, x, mask);
}

template <class T>
__device__ T from_lane(T x, int lane) {
  return __shfl_sync(0xffffffffu, x, lane);
}

// Bit k: what lane k says.
__device__ inline uint32_t lanes_where(bool says) { return __ballot_sync(0xffffffffu, says); }

__device__ inline int lane() { return static_cast<int>(threadIdx.x) % kWarp; }

// Waits for `threads` threads, whole warps, of the block that wait at barrier `id`, 1 to 15.
__device__ inline void wait_at(int id, int threads) {
  asm volatile("bar.sync %0, %1;" ::"r"(id), "r"(threads) : "memory");
}

// Asks for the line that `at` is in, to be had from the second-level cache.
__device__ inline void prefetch(const void* at) {
  asm volatile("prefetch.global.L2 [%0];" ::"l"(at));
}

// The memory that a launch asks for besides what its kernel declares; a multiple of 16 bytes.
__device__ inline float* launched_memory() {
  extern __shared__ __align__(16) float memory[];
  return memory;
}

}  // namespace bench::kernels::cuda
