#pragma once
// Backward of attention in tiles, float, on the CUDA cores: as the one in bfloat16.

#include "kernels/args.h"
#include "kernels/attention/backward_plan_cuda.cuh"
#include "kernels/attention/float_forward_cuda.cuh"

namespace bench::kernels::cuda {

// Shared memory of a thread block: tiles with rows of d, and one of scores.
template <class Shape>
struct FloatBackwardSpace {
  float *keys, *values, *queries, *d_out, *scores;
  __device__ __forceinline__ explicit FloatBackwardSpace(std::byte* memory)
      : keys(reinterpret_cast<float*>(memory)),
        values(keys + Shape::kTileFloats),
        queries(values + Shape::kTileFloats),
        d_out(queries + Shape::kTileFloats),
        scores(d_out + Shape::kTileFloats) {}
};

// Scores -> p = exp2(scale s - log_sum), products d_out · v -> ds = p (dp - mean); zero where the
// key comes after the query. `log_sums`, `means`: of the tile's first query, `count` of them.
template <int kRows>
__device__ __forceinline__ void float_softmax_grad(float (&s)[kRows][kRows],
                                                   float (&dp)[kRows][kRows], const float* log_sums,
                                                   const float* means, int count, float scale,
                                                   bool diagonal) {
#pragma unroll
  for (int i = 0; i < kRows; ++i) {
    const int row = thread_y() + 16 * i;
    const float log_sum = row < count ? log_sums[row] : 0, mean = row < count ? means[row] : 0;
#pragma unroll
    for (int j = 0; j < kRows; ++j) {
      const bool masked = diagonal && thread_x() + 16 * j > row;
      s[i][j] = masked ? 0 : exp2f(fmaf(s[i][j], scale, -log_sum));
      dp[i][j] = masked ? 0 : s[i][j] * (dp[i][j] - mean);
    }
  }
}

template <int kTile, int kRows>
__device__ __forceinline__ void store_scores(const float (&s)[kRows][kRows], float* to) {
#pragma unroll
  for (int i = 0; i < kRows; ++i) {
#pragma unroll
    for (int j = 0; j < kRows; ++j)
      to[(thread_y() + 16 * i) * float_row(kTile) + thread_x() + 16 * j] = s[i][j];
  }
}

// ds · keys, to be scaled, into the task's sum in global memory: rows of kDim.
template <class Shape>
__device__ __forceinline__ void add_float_query_grad(const FloatBackwardSpace<Shape>& s, float* to,
                                                     bool to_what_is_there) {
  FloatSums<Shape::kRows, Shape::kColumns> dq;
  clear_floats<Shape::kRows, Shape::kColumns>(dq);
  add_float_product<Shape::kDim, Shape::kTile>(dq, s.scores, s.keys);
#pragma unroll
  for (int i = 0; i < Shape::kRows; ++i) {
#pragma unroll
    for (int c = 0; c < Shape::kColumns; ++c) {
      float* const place = to + (thread_y() + 16 * i) * Shape::kDim + thread_x() * 4 + 64 * c;
      const float4 value = make_float4(dq[i][c][0], dq[i][c][1], dq[i][c][2], dq[i][c][3]);
      if (to_what_is_there) {
        add_to_global(place, value);
      } else {
        *reinterpret_cast<float4*>(place) = value;
      }
    }
  }
}

// Rows kRows y and on of the tile of keys.
template <class Shape, bool kAligned>
__device__ __forceinline__ void store_float_grads(
    const FloatSums<Shape::kRows, Shape::kColumns>& sums, float factor, float* to,
    const FloatRows& shape, int first) {
#pragma unroll
  for (int i = 0; i < Shape::kRows; ++i) {
    const int row = first + thread_y() * Shape::kRows + i;
    if (row >= shape.end) continue;
#pragma unroll
    for (int c = 0; c < Shape::kColumns; ++c) {
      const int column = thread_x() * 4 + 64 * c;
      store_floats<kAligned>(sums[i][c], factor, to + row * shape.step + column, shape.d - column);
    }
  }
}

// Grid: batch · heads · groups of tiles of keys.
template <class Shape, bool kAligned>
__global__ void __launch_bounds__(kFloatThreads, Shape::kBlocksAtOnce)
    float_backward_kernel(AttentionBackward<float> a, BackwardPlan plan) {
  constexpr int kTile = Shape::kTile, kDim = Shape::kDim;
  const tiles::Share share = tiles::share_of(blockIdx.x, plan.tasks, plan.groups, plan.section);
  const int group = plan.groups - 1 - share.tile, seq = static_cast<int>(a.seq);
  const HeadRows head(a, share.task);
  const FloatRows q{a.qkv + head.qkv, head.qkv_step, seq, static_cast<int>(a.d)};
  const FloatRows k{q.memory + a.d, q.step, q.end, q.d}, v{k.memory + a.d, q.step, q.end, q.d};
  const FloatRows d_out{a.d_out + head.out, head.out_step, q.end, q.d};
  const float* const log_sums = static_cast<const float*>(a.saved) + share.task * a.seq;
  const float* const means = plan.means + share.task * a.seq;
  float* const query_grad =
      plan.query_grads + query_grad_offset<Shape>(plan, seq, group, share.task);
  const FloatBackwardSpace<Shape> space(dynamic_shared());

  for (int tile = 0; tile * kTile < seq; ++tile) {
    if (tiles::group_of(tile, plan.groups) != group) continue;
    FloatSums<Shape::kRows, Shape::kColumns> dk, dv;
    clear_floats<Shape::kRows, Shape::kColumns>(dk);
    clear_floats<Shape::kRows, Shape::kColumns>(dv);
    load_float_tile<kTile, kDim, kAligned>(space.keys, k, tile * kTile);
    load_float_tile<kTile, kDim, kAligned>(space.values, v, tile * kTile);
    for (int i = tile; i * kTile < seq; ++i) {
      load_float_tile<kTile, kDim, kAligned>(space.queries, q, i * kTile);
      load_float_tile<kTile, kDim, kAligned>(space.d_out, d_out, i * kTile);
      wait_for_copies();
      __syncthreads();
      float p[Shape::kRows][Shape::kRows], ds[Shape::kRows][Shape::kRows];
      multiply_float_rows<kDim>(p, space.queries, space.keys);
      multiply_float_rows<kDim>(ds, space.d_out, space.values);
      float_softmax_grad(p, ds, log_sums + i * kTile, means + i * kTile, seq - i * kTile,
                         plan.score_scale * kLog2E, i == tile);
      store_scores<kTile>(p, space.scores);
      __syncthreads();
      add_float_product_transposed<kDim, kTile>(dv, space.scores, space.d_out);
      __syncthreads();
      store_scores<kTile>(ds, space.scores);
      __syncthreads();
      add_float_product_transposed<kDim, kTile>(dk, space.scores, space.queries);
      add_float_query_grad(space, query_grad + i * kTile * kDim, plan.shared || tile != group);
      __syncthreads();  // nothing is read any more
    }
    float* const d_keys = a.d_qkv + head.qkv + a.d;
    store_float_grads<Shape, kAligned>(dk, plan.score_scale, d_keys, k, tile * kTile);
    store_float_grads<Shape, kAligned>(dv, 1, d_keys + a.d, k, tile * kTile);
  }
}

// The queries' part of d_qkv: the groups' sums in order, scaled. Four columns a thread.
template <class Shape, bool kAligned>
__global__ void __launch_bounds__(256)
    float_query_grad_kernel(AttentionBackward<float> a, BackwardPlan plan) {
  const GradPiece<4> piece(a);
  if (piece.task >= plan.tasks) return;
  const int tile = piece.row / Shape::kTile;
  const float* from = plan.query_grads + query_grad_offset<Shape>(plan, a.seq, 0, piece.task) +
                      piece.row * Shape::kDim + piece.column;
  float sums[4] = {};
  for (int group = 0; group < groups_to_add<Shape>(plan, tile); ++group) {
    const float4 x = load4(from + group * query_grad_stride<Shape>(plan, a.seq));
    sums[0] += x.x;
    sums[1] += x.y;
    sums[2] += x.z;
    sums[3] += x.w;
  }
  const HeadRows head(a, piece.task);
  store_floats<kAligned>(sums, plan.score_scale,
                         a.d_qkv + head.qkv + piece.row * head.qkv_step + piece.column,
                         static_cast<int>(a.d) - piece.column);
}

}  // namespace bench::kernels::cuda
