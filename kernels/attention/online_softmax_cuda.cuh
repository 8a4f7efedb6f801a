#pragma once
// Softmax over rows that come in tiles (Milakov 2018; Dao 2022, section 3.1), on accumulators of
// mma: a row's scores lie with four lanes.

#include "kernels/attention/head_rows_cuda.cuh"
#include "kernels/attention/tile_products_cuda.cuh"

namespace bench::kernels::cuda {

// Of kM squares of 16 rows, of which a lane has two each.
template <int kM>
struct SoftmaxRows {
  float most[kM][2];  // of the scores, before they are scaled
  float sum[kM][2];   // of this lane's exponentials

  __device__ __forceinline__ void start() {
#pragma unroll
    for (int m = 0; m < kM; ++m) {
      most[m][0] = most[m][1] = -INFINITY;
      sum[m][0] = sum[m][1] = 0;
    }
  }
};

// Over the four lanes that share a row.
template <class Combine>
__device__ __forceinline__ float over_row(float x, const Combine& combine) {
  x = combine(x, __shfl_xor_sync(kWholeWarp, x, 1));
  return combine(x, __shfl_xor_sync(kWholeWarp, x, 2));
}
__device__ __forceinline__ float row_sum(float x) {
  return over_row(x, [](float a, float b) { return a + b; });
}
__device__ __forceinline__ float row_max(float x) {
  return over_row(x, [](float a, float b) { return fmaxf(a, b); });
}

// Scores of keys after the query become -infinity. `query`, `key`: of the first row and column.
template <int kM, int kN>
__device__ __forceinline__ void mask_scores(Accumulators<kM, kN>& s, int query, int key) {
  const tiles::Place place = tiles::accumulator_place(threadIdx.x % 32, 0);
#pragma unroll
  for (int m = 0; m < kM; ++m) {
#pragma unroll
    for (int n = 0; n < kN; ++n) {
#pragma unroll
      for (int i = 0; i < 4; ++i) {
        const int row = query + 16 * m + place.row + i / 2 * 8;
        if (key + 8 * n + place.column + i % 2 > row) s[m][n][i] = -INFINITY;
      }
    }
  }
}

// s -> exp2(scale s - shift), and the rows' sums. `factors`: what brings sums so far to the rows'
// new maxima. Whether any row of the warp has a new one.
template <int kM, int kN>
__device__ __forceinline__ bool exponentials(SoftmaxRows<kM>& rows, Accumulators<kM, kN>& s,
                                             float scale, float (&factors)[kM][2]) {
  bool grown = false;
#pragma unroll
  for (int m = 0; m < kM; ++m) {
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      const float before = rows.most[m][half];
      float most = before;
#pragma unroll
      for (int n = 0; n < kN; ++n)
        most = fmaxf(most, fmaxf(s[m][n][2 * half], s[m][n][2 * half + 1]));
      most = row_max(most);
      const float shift = shift_of(most, scale);
      float sum = 0;
#pragma unroll
      for (int n = 0; n < kN; ++n) {
#pragma unroll
        for (int i = 2 * half; i < 2 * half + 2; ++i) {
          s[m][n][i] = fast_exp2(fmaf(s[m][n][i], scale, -shift));
          sum += s[m][n][i];
        }
      }
      grown |= most != before;
      factors[m][half] = fast_exp2(fmaf(before, scale, -shift));
      rows.sum[m][half] = fmaf(rows.sum[m][half], factors[m][half], sum);
      rows.most[m][half] = most;
    }
  }
  return __any_sync(kWholeWarp, grown);
}

template <int kM, int kN>
__device__ __forceinline__ void scale_rows(Accumulators<kM, kN>& out,
                                           const float (&factors)[kM][2]) {
#pragma unroll
  for (int m = 0; m < kM; ++m) {
#pragma unroll
    for (int n = 0; n < kN; ++n) {
#pragma unroll
      for (int i = 0; i < 4; ++i) out[m][n][i] *= factors[m][i / 2];
    }
  }
}

// As left operand: two tiles of accumulators side by side are one step of 16.
template <int kM, int kN>
__device__ __forceinline__ void pack_left(const Accumulators<kM, kN>& p,
                                          uint32_t (&left)[kM][kN / 2][4]) {
#pragma unroll
  for (int m = 0; m < kM; ++m) {
#pragma unroll
    for (int n = 0; n < kN; ++n) {
      left[m][n / 2][n % 2 * 2] = bf16_pair(p[m][n][0], p[m][n][1]);
      left[m][n / 2][n % 2 * 2 + 1] = bf16_pair(p[m][n][2], p[m][n][3]);
    }
  }
}

// The rows' sums become what their output is to be multiplied by; their logarithms, base 2, go to
// log_sums[seq]. `first`: the position of the first row.
template <int kM>
__device__ __forceinline__ void finish_rows(const SoftmaxRows<kM>& rows, int first, int seq,
                                            float scale, float* log_sums, float (&factors)[kM][2]) {
  const int lane = threadIdx.x % 32;
#pragma unroll
  for (int m = 0; m < kM; ++m) {
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      const float sum = row_sum(rows.sum[m][half]);
      const int row = first + 16 * m + 8 * half + lane / 4;
      factors[m][half] = 1 / sum;
      if (lane % 4 == 0 && row < seq)
        log_sums[row] = shift_of(rows.most[m][half], scale) + log2f(sum);
    }
  }
}

}  // namespace bench::kernels::cuda
