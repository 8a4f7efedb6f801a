#pragma once
// Backward of attention in tiles, bfloat16 (Dao 2022, algorithm 4; Dao 2023, section 3.1.2): a
// thread block owns tiles of keys, makes the probabilities of the queries that see them again and
// adds up the gradients of its keys and values in registers, that of the queries in global memory.

#include "bench/base/bfloat16.h"
#include "kernels/args.h"
#include "kernels/attention/head_rows_cuda.cuh"
#include "kernels/attention/query_grad_cuda.cuh"
#include "kernels/attention/tile_products_cuda.cuh"

namespace bench::kernels::cuda {

inline constexpr int kBackwardUnroll = 2;  // steps of a product: what 255 registers hold

// kDim: d rounded up to what there is code for. Eight warps. Transposed scores [keys, queries] are
// four by two warps; gradients of keys and values [keys, d] are, too; that of the queries
// [queries, d] is 32 rows a warp. Bytes of shared memory, rows of d unless said otherwise.
template <int kDim_>
struct BackwardShape {
  static constexpr int kDim = kDim_, kChunks = kDim / 8;
  static constexpr int kKeys = 128, kQueries = kDim <= 64 ? 128 : 64, kThreads = 256;
  static constexpr int kScoreChunks = kQueries / 8;     // pieces of a row of transposed scores
  static constexpr int kScoreTiles = kQueries / 2 / 8;  // of a warp, eight queries each
  static constexpr int kGradTiles = kDim / 2 / 8;       // of a warp, eight of d each
  using QueryGrad = tiles::TileInWarps<kQueries, kDim>;
  static constexpr int kKeyBytes = kKeys * kDim * 2, kQueryBytes = kQueries * kDim * 2;
  static constexpr int kScoreBytes = kKeys * kQueries * 2;
  static constexpr int kRowBytes = kQueries * 4;  // log sums or means
  static constexpr int kStageBytes = 2 * kQueryBytes + 2 * kRowBytes;
  // Keys, values; two stages of queries, d_out, log sums and means; probabilities, their gradients.
  static constexpr int kBackwardShared = 2 * kKeyBytes + 2 * kStageBytes + 2 * kScoreBytes;
  static constexpr int kBlocksAtOnce = 1;  // on a multiprocessor
};

template <class Shape>
struct KeyGrads {
  float keys[2][Shape::kGradTiles][4];
  float values[2][Shape::kGradTiles][4];
};

// Shared memory of a thread block.
template <class Shape>
struct BackwardSpace {
  std::byte *keys, *values, *stages, *p, *ds;
  __device__ __forceinline__ explicit BackwardSpace(std::byte* memory)
      : keys(memory),
        values(keys + Shape::kKeyBytes),
        stages(values + Shape::kKeyBytes),
        p(stages + 2 * Shape::kStageBytes),
        ds(p + Shape::kScoreBytes) {}
  __device__ __forceinline__ std::byte* queries(int stage) const {
    return stages + stage * Shape::kStageBytes;
  }
  __device__ __forceinline__ std::byte* d_out(int stage) const {
    return queries(stage) + Shape::kQueryBytes;
  }
  __device__ __forceinline__ float* log_sums(int stage) const {
    return reinterpret_cast<float*>(d_out(stage) + Shape::kQueryBytes);
  }
  __device__ __forceinline__ float* means(int stage) const {
    return log_sums(stage) + Shape::kQueries;
  }
};

// What one task reads of global memory.
struct BackwardInput {
  GlobalRows q, k, d_out;         // the values beside k
  const float *log_sums, *means;  // [seq]
};

template <class Shape, bool kAligned>
__device__ __forceinline__ void load_queries(const BackwardSpace<Shape>& s, int stage,
                                             const BackwardInput& in, int first) {
  load_tile<Shape::kQueries, Shape::kChunks, Shape::kThreads, kAligned>(s.queries(stage), in.q,
                                                                        first);
  load_tile<Shape::kQueries, Shape::kChunks, Shape::kThreads, kAligned>(s.d_out(stage), in.d_out,
                                                                        first);
  if (threadIdx.x >= 2 * Shape::kQueries) return;
  const int row = threadIdx.x % Shape::kQueries, which = threadIdx.x / Shape::kQueries;
  const float* const from = (which == 0 ? in.log_sums : in.means) + first + row;
  copy_async_4(shared_address(s.log_sums(stage) + threadIdx.x), from, first + row < in.q.end);
}

// p and ds of this warp, transposed, from scores and products d_out · v; zero where the key comes
// after the query. `key` and `query` of the warp's first row and column, `column` that in its tile.
template <class Shape>
__device__ __forceinline__ void softmax_grad_tile(const BackwardSpace<Shape>& s, int stage,
                                                  float scale, int key, int query, int column,
                                                  Accumulators<2, Shape::kScoreTiles>& scores,
                                                  Accumulators<2, Shape::kScoreTiles>& dp) {
  const tiles::Place place = tiles::accumulator_place(threadIdx.x % 32, 0);
  const bool masked = key + 31 > query;
#pragma unroll
  for (int n = 0; n < Shape::kScoreTiles; ++n) {
    const int c = column + 8 * n + place.column;
    const float2 log_sum = *reinterpret_cast<const float2*>(s.log_sums(stage) + c);
    const float2 mean = *reinterpret_cast<const float2*>(s.means(stage) + c);
#pragma unroll
    for (int m = 0; m < 2; ++m) {
#pragma unroll
      for (int i = 0; i < 4; ++i) {
        float& p = scores[m][n][i];
        float& ds = dp[m][n][i];
        p = fast_exp2(fmaf(p, scale, -(i % 2 == 0 ? log_sum.x : log_sum.y)));
        ds = p * (ds - (i % 2 == 0 ? mean.x : mean.y));
        const int after = key + 16 * m + place.row + i / 2 * 8 - (query + 8 * n + place.column);
        if (masked && after > i % 2) p = ds = 0;
      }
    }
  }
}

// Scores and products d_out · v of the warp's 32 keys and half of the queries, then p and ds.
template <class Shape>
__device__ __forceinline__ void make_scores(const BackwardSpace<Shape>& s, int stage, float scale,
                                            int key, int query) {
  constexpr int kTiles = Shape::kScoreTiles;
  const int warp = threadIdx.x / 32;
  const int row = warp % 4 * 32, column = warp / 4 * (Shape::kQueries / 2);
  Accumulators<2, kTiles> p, ds;
  clear<2, kTiles>(p);
  clear<2, kTiles>(ds);
  multiply_rows<Shape::kChunks, kBackwardUnroll>(p, shared_address(s.keys), row,
                                                 shared_address(s.queries(stage)), column);
  multiply_rows<Shape::kChunks, kBackwardUnroll>(ds, shared_address(s.values), row,
                                                 shared_address(s.d_out(stage)), column);
  softmax_grad_tile<Shape>(s, stage, scale, key + row, query + column, column, p, ds);
  constexpr float kOnes[2][2] = {{1, 1}, {1, 1}};
  narrow_to_tile<Shape::kScoreChunks>(p, kOnes, s.p, row, column / 8);
  narrow_to_tile<Shape::kScoreChunks>(ds, kOnes, s.ds, row, column / 8);
}

// sum += scoresᵀ[32 keys, queries] · right[queries, half of d]
template <class Shape>
__device__ __forceinline__ void add_over_queries(Accumulators<2, Shape::kGradTiles>& sum,
                                                 const std::byte* scores, const std::byte* right) {
  const int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
  const LanePointer<Shape::kScoreChunks> a(
      shared_address(scores) + warp % 4 * 32 * Shape::kQueries * 2, tiles::down_first(lane));
  const LanePointer<Shape::kChunks> b(shared_address(right), tiles::down_first(lane));
  const int chunk = warp / 4 * Shape::kGradTiles;
  multiply<Shape::kQueries / 16, kBackwardUnroll>(
      sum, [&](int k, int m, auto& to) { load_matrices(to, a.at(16 * m, 2 * k)); },
      [&](int k, int n, auto& to) { load_transposed(to, b.at(16 * k, chunk + n)); });
}

// ds[32 queries, keys] · keys[keys, part of d], to be scaled, into the task's sum in global memory.
template <class Shape>
__device__ __forceinline__ void add_query_grad(const BackwardSpace<Shape>& s, float* to,
                                               bool to_what_is_there) {
  using Grad = typename Shape::QueryGrad;
  const int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
  const LanePointer<Shape::kScoreChunks> a(shared_address(s.ds), tiles::along_first(lane));
  const LanePointer<Shape::kChunks> b(shared_address(s.keys), tiles::down_first(lane));
  const int row_chunk = Grad::first_row(warp) / 8, chunk = Grad::first_column(warp) / 8;
  Accumulators<2, Grad::kTiles> dq;
  clear<2, Grad::kTiles>(dq);
  multiply<Shape::kKeys / 16, kBackwardUnroll>(
      dq, [&](int k, int m, auto& q) { load_transposed(q, a.at(16 * k, row_chunk + 2 * m)); },
      [&](int k, int n, auto& to_b) { load_transposed(to_b, b.at(16 * k, chunk + n)); });
#pragma unroll
  for (int m = 0; m < 2; ++m) {
#pragma unroll
    for (int n = 0; n < Grad::kTiles; ++n) {
      float* const place = to + Grad::offset(m, n, threadIdx.x);
      const float4 value = {dq[m][n][0], dq[m][n][1], dq[m][n][2], dq[m][n][3]};
      if (to_what_is_there) {
        add_to_global(place, value);
      } else {
        *reinterpret_cast<float4*>(place) = value;
      }
    }
  }
}

// The tile's gradients to d_qkv, by way of the shared memory of keys and values.
template <class Shape, bool kAligned>
__device__ __forceinline__ void store_key_grads(const BackwardSpace<Shape>& s,
                                                const KeyGrads<Shape>& grads, float score_scale,
                                                uint16_t* d_keys, const GlobalRows& k, int first) {
  const int warp = threadIdx.x / 32, thread = threadIdx.x;
  const int row = warp % 4 * 32, chunk = warp / 4 * Shape::kGradTiles;
  const float scales[2][2] = {{score_scale, score_scale}, {score_scale, score_scale}};
  constexpr float kOnes[2][2] = {{1, 1}, {1, 1}};
  __syncthreads();  // no longer read
  narrow_to_tile<Shape::kChunks>(grads.keys, scales, s.keys, row, chunk);
  narrow_to_tile<Shape::kChunks>(grads.values, kOnes, s.values, row, chunk);
  __syncthreads();
  store_tile<Shape::kChunks, kAligned>(s.keys, 0, Shape::kKeys, d_keys, k, first, thread,
                                       Shape::kThreads);
  store_tile<Shape::kChunks, kAligned>(s.values, 0, Shape::kKeys, d_keys + k.d, k, first, thread,
                                       Shape::kThreads);
  __syncthreads();
}

// Grid: batch · heads · groups of tiles of keys.
template <class Shape, bool kAligned>
__global__ void __launch_bounds__(Shape::kThreads, 1)
    backward_kernel(AttentionBackward<bfloat16> a, BackwardPlan plan) {
  const tiles::Share share = tiles::share_of(blockIdx.x, plan.tasks, plan.groups, plan.section);
  const int group = plan.groups - 1 - share.tile, seq = static_cast<int>(a.seq);
  const int d = static_cast<int>(a.d);
  const HeadRows head(a, share.task);
  const auto* const qkv = reinterpret_cast<const uint16_t*>(a.qkv) + head.qkv;
  const BackwardInput in{
      .q = {qkv, head.qkv_step, seq, d},
      .k = {qkv + a.d, head.qkv_step, seq, d},
      .d_out = {reinterpret_cast<const uint16_t*>(a.d_out) + head.out, head.out_step, seq, d},
      .log_sums = static_cast<const float*>(a.saved) + share.task * a.seq,
      .means = plan.means + share.task * a.seq};
  uint16_t* const d_keys = reinterpret_cast<uint16_t*>(a.d_qkv) + head.qkv + a.d;
  const int tiles_of_queries = tiles::ceil_div(seq, Shape::kQueries);
  float* const query_grad =
      plan.query_grads + query_grad_offset<Shape>(plan, seq, group, share.task);
  const BackwardSpace<Shape> s(dynamic_shared());

  for (int tile = 0; tile * Shape::kKeys < seq; ++tile) {
    if (tiles::group_of(tile, plan.groups) != group) continue;
    const int key = tile * Shape::kKeys;
    const int from = tiles::first_query_tile(key, Shape::kQueries);
    load_tile<Shape::kKeys, Shape::kChunks, Shape::kThreads, kAligned, 2>(s.keys, in.k, key);
    load_queries<Shape, kAligned>(s, from % 2, in, from * Shape::kQueries);
    KeyGrads<Shape> grads;
    clear<2, Shape::kGradTiles>(grads.keys);
    clear<2, Shape::kGradTiles>(grads.values);
    for (int i = from; i < tiles_of_queries; ++i) {
      wait_for_copies();
      __syncthreads();  // the queries are there, and what is written from here on no longer read
      const int query = i * Shape::kQueries, stage = i % 2;
      if (i + 1 < tiles_of_queries)
        load_queries<Shape, kAligned>(s, (i + 1) % 2, in, query + Shape::kQueries);
      make_scores<Shape>(s, stage, plan.score_scale * kLog2E, key, query);
      __syncthreads();
      add_over_queries<Shape>(grads.values, s.p, s.d_out(stage));
      add_over_queries<Shape>(grads.keys, s.ds, s.queries(stage));
      // In a group of its own, the first tile of keys meets all queries that the others meet.
      add_query_grad<Shape>(s, query_grad + i * Shape::QueryGrad::kSize,
                            plan.shared || tile != group);
    }
    store_key_grads<Shape, kAligned>(s, grads, plan.score_scale, d_keys, in.k, key);
  }
}

}  // namespace bench::kernels::cuda
