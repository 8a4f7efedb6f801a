#pragma once
// Products of float tiles in shared memory by 256 threads, 16 by 16: thread (y, x) has kRows rows
// and four columns in each 64. All loads are of 16 bytes; rows are 16 bytes longer than a multiple
// of 128, so that the rows that threads side by side read begin in different banks.

#include <cstdint>

#include "kernels/cuda/tensor_core.cuh"

namespace bench::kernels::cuda {

inline constexpr int kFloatThreads = 256;

// Distance of two rows of `width` elements.
constexpr int float_row(int width) { return width + 4; }

__device__ __forceinline__ int thread_x() { return threadIdx.x % 16; }
__device__ __forceinline__ int thread_y() { return threadIdx.x / 16; }

__device__ __forceinline__ float4 load4(const float* from) {
  return *reinterpret_cast<const float4*>(from);
}
__device__ __forceinline__ float dot(float4 a, float4 b, float sum) {
  return fmaf(a.w, b.w, fmaf(a.z, b.z, fmaf(a.y, b.y, fmaf(a.x, b.x, sum))));
}
__device__ __forceinline__ void add_scaled(float (&sum)[4], float a, float4 b) {
  sum[0] = fmaf(a, b.x, sum[0]);
  sum[1] = fmaf(a, b.y, sum[1]);
  sum[2] = fmaf(a, b.z, sum[2]);
  sum[3] = fmaf(a, b.w, sum[3]);
}

template <int kRows, int kColumns>
using FloatSums = float[kRows][kColumns][4];

template <int kRows, int kColumns>
__device__ __forceinline__ void clear_floats(FloatSums<kRows, kColumns>& sums) {
#pragma unroll
  for (int i = 0; i < kRows * kColumns * 4; ++i)
    sums[i / 4 / kColumns][i / 4 % kColumns][i % 4] = 0;
}

// s[i][j] = sum over d of a[y + 16 i, d] b[x + 16 j, d]
template <int kDim, int kRows>
__device__ __forceinline__ void multiply_float_rows(float (&s)[kRows][kRows], const float* a,
                                                    const float* b) {
  a += thread_y() * float_row(kDim);
  b += thread_x() * float_row(kDim);
#pragma unroll
  for (int i = 0; i < kRows * kRows; ++i) s[i / kRows][i % kRows] = 0;
#pragma unroll 2
  for (int k = 0; k < kDim; k += 4) {
    float4 right[kRows];
#pragma unroll
    for (int j = 0; j < kRows; ++j) right[j] = load4(b + j * 16 * float_row(kDim) + k);
#pragma unroll
    for (int i = 0; i < kRows; ++i) {
      const float4 left = load4(a + i * 16 * float_row(kDim) + k);
#pragma unroll
      for (int j = 0; j < kRows; ++j) s[i][j] = dot(left, right[j], s[i][j]);
    }
  }
}

// sums[i][c] += sum over k of a[y + 16 i, k] b[k, 4 x + 64 c ...], k below kInner.
template <int kDim, int kInner, int kRows>
__device__ __forceinline__ void add_float_product(FloatSums<kRows, kDim / 64>& sums, const float* a,
                                                  const float* b) {
  a += thread_y() * float_row(kInner);
  b += thread_x() * 4;
#pragma unroll 1
  for (int k = 0; k < kInner; k += 4) {
    float left[kRows][4];
#pragma unroll
    for (int i = 0; i < kRows; ++i)
      *reinterpret_cast<float4*>(left[i]) = load4(a + i * 16 * float_row(kInner) + k);
#pragma unroll
    for (int j = 0; j < 4; ++j) {
#pragma unroll
      for (int c = 0; c < kDim / 64; ++c) {
        const float4 right = load4(b + (k + j) * float_row(kDim) + 64 * c);
#pragma unroll
        for (int i = 0; i < kRows; ++i) add_scaled(sums[i][c], left[i][j], right);
      }
    }
  }
}

// sums[i][c] += sum over k of a[k, kRows y + i] b[k, 4 x + 64 c ...], k below kInner, which is also
// the number of a's columns.
template <int kDim, int kInner, int kRows>
__device__ __forceinline__ void add_float_product_transposed(FloatSums<kRows, kDim / 64>& sums,
                                                             const float* a, const float* b) {
  a += thread_y() * kRows;
  b += thread_x() * 4;
#pragma unroll 4
  for (int k = 0; k < kInner; ++k) {
    float left[kRows];
#pragma unroll
    for (int i = 0; i < kRows; ++i) left[i] = a[k * float_row(kInner) + i];
#pragma unroll
    for (int c = 0; c < kDim / 64; ++c) {
      const float4 right = load4(b + k * float_row(kDim) + 64 * c);
#pragma unroll
      for (int i = 0; i < kRows; ++i) add_scaled(sums[i][c], left[i], right);
    }
  }
}

// A matrix of float in global memory: rows of `d` elements, `step` apart, `end` of them.
struct FloatRows {
  const float* memory;
  int64_t step;
  int end, d;
};

// Rows first to first + kRows - 1 into a tile; zeros past the end and past d. kAligned: d is a
// multiple of 4 and rows begin at multiples of 16 bytes; what is copied then is there after
// wait_for_copies and a barrier, otherwise after a barrier.
template <int kRows, int kDim, bool kAligned>
__device__ __forceinline__ void load_float_tile(float* tile, const FloatRows& from, int first) {
  constexpr int kWidth = kAligned ? 4 : 1;
  for (int i = threadIdx.x; i < kRows * kDim / kWidth; i += kFloatThreads) {
    const int row = i / (kDim / kWidth), column = i % (kDim / kWidth) * kWidth;
    const bool there = first + row < from.end && column < from.d;
    const float* const source = from.memory + (first + row) * from.step + column;
    float* const to = tile + row * float_row(kDim) + column;
    if constexpr (kAligned) {
      copy_async_16(shared_address(to), source, there);
    } else {
      *to = there ? *source : 0;
    }
  }
}

// Four successive elements of a row, of which those below `count` exist, times `factor`.
template <bool kAligned>
__device__ __forceinline__ void store_floats(const float (&sums)[4], float factor, float* to,
                                             int count) {
  if constexpr (kAligned) {
    if (count <= 0) return;
    *reinterpret_cast<float4*>(to) =
        make_float4(sums[0] * factor, sums[1] * factor, sums[2] * factor, sums[3] * factor);
  } else {
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      if (i < count) to[i] = sums[i] * factor;
    }
  }
}

}  // namespace bench::kernels::cuda
