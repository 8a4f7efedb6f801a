#pragma once
// Sums and maxima over a warp, a row's threads or a block: in a fixed order, the same bits in every
// thread. All threads of the block take part.

#include "kernels/cuda/device.cuh"

namespace bench::kernels::cuda {

template <class T>
__device__ T warp_sum(T x) {
#pragma unroll
  for (int mask = kWarp / 2; mask > 0; mask /= 2) x += from_lane_xor(x, mask);
  return x;
}

// Of numbers; a NaN is left out.
__device__ inline float warp_max(float x) {
#pragma unroll
  for (int mask = kWarp / 2; mask > 0; mask /= 2) x = fmaxf(x, from_lane_xor(x, mask));
  return x;
}

constexpr int kMostWarps = 32;  // of a block

// One number of every warp of a block, in shared memory; for one reduction, since nobody waits
// before it is written again.
template <class T>
using WarpValues = T[kMostWarps];

// Over the threads (*, threadIdx.y), whole warps of them: those of a row where a block has several.
template <class T>
__device__ T row_sum(T x, WarpValues<T>& values) {
  x = warp_sum(x);
  const int warps = static_cast<int>(blockDim.x) / kWarp;
  if (warps == 1) return x;
  T* const row = values + static_cast<int>(threadIdx.y) * warps;
  if (lane() == 0) row[threadIdx.x / kWarp] = x;
  __syncthreads();
  T sum = row[0];
#pragma unroll 4
  for (int w = 1; w < warps; ++w) sum += row[w];
  return sum;
}

__device__ inline float row_max(float x, WarpValues<float>& values) {
  x = warp_max(x);
  const int warps = static_cast<int>(blockDim.x) / kWarp;
  if (warps == 1) return x;
  float* const row = values + static_cast<int>(threadIdx.y) * warps;
  if (lane() == 0) row[threadIdx.x / kWarp] = x;
  __syncthreads();
  float most = row[0];
#pragma unroll 4
  for (int w = 1; w < warps; ++w) most = fmaxf(most, row[w]);
  return most;
}

}  // namespace bench::kernels::cuda
