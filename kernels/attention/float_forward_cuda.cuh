#pragma once
// Forward of attention in tiles, float, on the CUDA cores (Dao 2022, algorithm 1): as the one in
// bfloat16, with sixteen threads a row.

#include "kernels/args.h"
#include "kernels/attention/float_products_cuda.cuh"
#include "kernels/attention/head_rows_cuda.cuh"
#include "kernels/attention/tiles.h"

namespace bench::kernels::cuda {

// kDim: d rounded up to what there is code for. Bytes of shared memory.
template <int kDim_>
struct FloatShape {
  static constexpr int kDim = kDim_, kTile = kDim <= 128 ? 64 : 32;  // queries and keys alike
  static constexpr int kQueries = kTile, kKeys = kTile, kThreads = kFloatThreads;
  static constexpr int kRows = kTile / 16, kColumns = kDim / 64;  // of a thread, columns by four
  static constexpr int kTileFloats = kTile * float_row(kDim);
  static constexpr int kScoreFloats = kTile * float_row(kTile);
  static constexpr int kForwardShared = 3 * kTileFloats * 4;  // queries, keys, values
  static_assert(kScoreFloats <= kTileFloats);
  static constexpr int kBackwardShared = (4 * kTileFloats + kScoreFloats) * 4;
  static constexpr int kBlocksAtOnce = kDim <= 64 ? 2 : 1;  // on a multiprocessor, backward
};

// Over the sixteen threads of a row.
template <class Combine>
__device__ __forceinline__ float over_thread_row(float x, const Combine& combine) {
#pragma unroll
  for (int mask = 8; mask > 0; mask /= 2) x = combine(x, __shfl_xor_sync(kWholeWarp, x, mask));
  return x;
}

template <class Shape>
struct FloatForwardRows {
  FloatSums<Shape::kRows, Shape::kColumns> out;
  float most[Shape::kRows];  // of the scores, before they are scaled
  float sum[Shape::kRows];
};

// s -> exp2(scale s - shift), also to shared memory, where only the threads of the row read it.
template <class Shape>
__device__ __forceinline__ void float_softmax(FloatForwardRows<Shape>& rows,
                                              float (&s)[Shape::kRows][Shape::kRows], float* p,
                                              float scale) {
#pragma unroll
  for (int i = 0; i < Shape::kRows; ++i) {
    float most = rows.most[i], sum = 0;
#pragma unroll
    for (int j = 0; j < Shape::kRows; ++j) most = fmaxf(most, s[i][j]);
    most = over_thread_row(most, [](float a, float b) { return fmaxf(a, b); });
    const float shift = shift_of(most, scale);
#pragma unroll
    for (int j = 0; j < Shape::kRows; ++j) {
      s[i][j] = exp2f(fmaf(s[i][j], scale, -shift));
      sum += s[i][j];
      p[(thread_y() + 16 * i) * float_row(Shape::kTile) + thread_x() + 16 * j] = s[i][j];
    }
    sum = over_thread_row(sum, [](float a, float b) { return a + b; });
    const float factor = exp2f(fmaf(rows.most[i], scale, -shift));
    rows.sum[i] = fmaf(rows.sum[i], factor, sum);
    rows.most[i] = most;
#pragma unroll
    for (int c = 0; c < Shape::kColumns * 4; ++c) rows.out[i][c / 4][c % 4] *= factor;
  }
}

// Scores of keys after the query, in a tile on the diagonal.
template <int kRows>
__device__ __forceinline__ void mask_diagonal(float (&s)[kRows][kRows]) {
#pragma unroll
  for (int i = 0; i < kRows; ++i) {
#pragma unroll
    for (int j = 0; j < kRows; ++j) {
      if (thread_x() + 16 * j > thread_y() + 16 * i) s[i][j] = -INFINITY;
    }
  }
}

template <class Shape, bool kAligned>
__device__ __forceinline__ void store_float_forward(const AttentionForward<float>& a, int task,
                                                    int first, const FloatForwardRows<Shape>& rows,
                                                    float scale) {
  const HeadRows head(a, task);
#pragma unroll
  for (int i = 0; i < Shape::kRows; ++i) {
    const int row = first + thread_y() + 16 * i;
    if (row >= a.seq) continue;
    if (thread_x() == 0)
      static_cast<float*>(a.saved)[task * a.seq + row] =
          shift_of(rows.most[i], scale) + log2f(rows.sum[i]);
#pragma unroll
    for (int c = 0; c < Shape::kColumns; ++c) {
      const int column = thread_x() * 4 + 64 * c;
      store_floats<kAligned>(rows.out[i][c], 1 / rows.sum[i],
                             a.out + head.out + row * head.out_step + column,
                             static_cast<int>(a.d) - column);
    }
  }
}

// Grid: batch · heads · tiles. `scale`: what exp2's argument has over the product q · k.
template <class Shape, bool kAligned>
__global__ void __launch_bounds__(kFloatThreads, 2)
    float_forward_kernel(AttentionForward<float> a, float scale, ForwardGrid grid) {
  const tiles::Share share = grid.share(static_cast<int>(blockIdx.x));
  const HeadRows head(a, share.task);
  const FloatRows q{a.qkv + head.qkv, head.qkv_step, static_cast<int>(a.seq),
                    static_cast<int>(a.d)};
  const FloatRows k{q.memory + a.d, q.step, q.end, q.d}, v{k.memory + a.d, q.step, q.end, q.d};
  float* const queries = reinterpret_cast<float*>(dynamic_shared());
  float* const keys = queries + Shape::kTileFloats;
  float* const values = keys + Shape::kTileFloats;
  float* const p = keys;  // in the place of the keys, when their scores are there
  load_float_tile<Shape::kTile, Shape::kDim, kAligned>(queries, q, share.tile * Shape::kTile);

  FloatForwardRows<Shape> rows;
  clear_floats<Shape::kRows, Shape::kColumns>(rows.out);
#pragma unroll
  for (int i = 0; i < Shape::kRows; ++i) {
    rows.most[i] = -INFINITY;
    rows.sum[i] = 0;
  }
  for (int tile = 0; tile <= share.tile; ++tile) {
    __syncthreads();  // the tile before is no longer read
    load_float_tile<Shape::kTile, Shape::kDim, kAligned>(keys, k, tile * Shape::kTile);
    load_float_tile<Shape::kTile, Shape::kDim, kAligned>(values, v, tile * Shape::kTile);
    wait_for_copies();
    __syncthreads();
    float s[Shape::kRows][Shape::kRows];
    multiply_float_rows<Shape::kDim>(s, queries, keys);
    if (tile == share.tile) mask_diagonal(s);
    __syncthreads();
    float_softmax(rows, s, p, scale);
    __syncwarp();
    add_float_product<Shape::kDim, Shape::kTile>(rows.out, p, values);
  }
  store_float_forward<Shape, kAligned>(a, share.task, share.tile * Shape::kTile, rows, scale);
}

}  // namespace bench::kernels::cuda
