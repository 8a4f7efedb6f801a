#pragma once
// In the place of kernels/cuda/device.cuh.

#include <cmath>

#include "bench/base/bfloat16.h"
#include "tests/cuda_emulation/words.h"

namespace bench::kernels::cuda {

using emulation::from_lane_xor;
using emulation::kWarp;

inline int lane() { return static_cast<int>(threadIdx.x) % kWarp; }
inline float* launched_memory() {
  return reinterpret_cast<float*>(emulation::block().shared(0, 0));
}

inline float fast_exp2(float x) {
  const float y = std::exp2(x);
  return y < 0x1p-126f ? 0 : y;
}

inline uint16_t bf16_bits(float x) { return float_to_bf16(x); }
inline uint32_t bf16_pair(float low, float high) {
  return float_to_bf16(low) | static_cast<uint32_t>(float_to_bf16(high)) << 16;
}

// Halves of such a pair.
inline float half_of(uint32_t pair, int half) {
  return bf16_to_float(static_cast<uint16_t>(pair >> (16 * half)));
}

}  // namespace bench::kernels::cuda
