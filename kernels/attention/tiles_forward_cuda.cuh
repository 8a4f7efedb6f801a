#pragma once
// Forward of attention in tiles, bfloat16 (Dao 2022, algorithm 1; Dao 2023, section 3): a thread
// block owns a tile of queries and runs over the keys; each warp has 32 whole rows, so that a
// tile's softmax needs no other warp and its probabilities stay in registers.

#include "bench/base/bfloat16.h"
#include "kernels/args.h"
#include "kernels/attention/online_softmax_cuda.cuh"

namespace bench::kernels::cuda {

// kDim: d rounded up to what there is code for. Bytes of shared memory.
template <int kDim_>
struct ForwardShape {
  static constexpr int kDim = kDim_, kChunks = kDim / 8;
  static constexpr int kQueries = 128, kKeys = 64, kWarps = 4, kThreads = 32 * kWarps;
  static constexpr int kUnroll = kDim <= 64 ? kDim / 16 : 2;  // what 255 registers hold
  static constexpr int kQueryBytes = kQueries * kDim * 2, kKeyBytes = kKeys * kDim * 2;
  // Queries, and two stages of keys and values.
  static constexpr int kForwardShared = kQueryBytes + 4 * kKeyBytes;
};

// Of the 32 rows of a warp.
template <class Shape>
struct ForwardRows {
  float out[2][Shape::kDim / 8][4];
  SoftmaxRows<2> softmax;
};

// out += p · v, p from registers.
template <class Shape, int kN>
__device__ __forceinline__ void add_values(ForwardRows<Shape>& rows, const Accumulators<2, kN>& p,
                                           uint32_t values) {
  uint32_t left[2][kN / 2][4];
  pack_left(p, left);
  const LanePointer<Shape::kChunks> at(values, tiles::down_first(threadIdx.x % 32));
  multiply<kN / 2, kN / 2>(
      rows.out,
      [&](int k, int m, uint32_t(&to)[4]) {
#pragma unroll
        for (int i = 0; i < 4; ++i) to[i] = left[m][k][i];
      },
      [&](int k, int n, auto& to) { load_transposed(to, at.at(16 * k, n)); });
}

// One tile of keys against the warp's queries.
template <class Shape>
__device__ __forceinline__ void forward_tile(ForwardRows<Shape>& rows, uint32_t queries, int query,
                                             uint32_t keys, uint32_t values, int key, float scale) {
  Accumulators<2, Shape::kKeys / 8> s;
  float factors[2][2];
  clear<2, Shape::kKeys / 8>(s);
  multiply_rows<Shape::kChunks, Shape::kUnroll>(s, queries, 0, keys, 0);
  if (key + Shape::kKeys - 1 > query) mask_scores(s, query, key);
  if (exponentials(rows.softmax, s, scale, factors)) scale_rows(rows.out, factors);
  add_values(rows, s, values);
}

// Divides by the sums and writes `out` and the logarithms of the sums. The warp's rows of the tile
// of queries are no longer needed and take the result on its way.
template <class Shape, bool kAligned>
__device__ __forceinline__ void store_forward(const AttentionForward<bfloat16>& a, int task,
                                              int first, ForwardRows<Shape>& rows, std::byte* tile,
                                              float scale) {
  const int lane = threadIdx.x % 32, row = threadIdx.x / 32 * 32;
  const int seq = static_cast<int>(a.seq);
  float factors[2][2];
  finish_rows(rows.softmax, first + row, seq, scale, static_cast<float*>(a.saved) + task * a.seq,
              factors);
  narrow_to_tile<Shape::kChunks>(rows.out, factors, tile, row, 0);
  __syncwarp();
  const HeadRows head(a, task);
  store_tile<Shape::kChunks, kAligned>(
      tile, row, 32, reinterpret_cast<uint16_t*>(a.out) + head.out,
      {.memory = nullptr, .step = head.out_step, .end = seq, .d = static_cast<int>(a.d)}, first,
      lane, 32);
}

// Grid: batch · heads · tiles of queries. `scale`: what exp2's argument has over the product q · k.
template <class Shape, bool kAligned>
__global__ void __launch_bounds__(Shape::kThreads, 2)
    forward_kernel(AttentionForward<bfloat16> a, float scale, ForwardGrid grid) {
  const tiles::Share share = grid.share(static_cast<int>(blockIdx.x));
  const HeadRows head(a, share.task);
  const int first = share.tile * Shape::kQueries, seq = static_cast<int>(a.seq);
  const int query = first + static_cast<int>(threadIdx.x) / 32 * 32;
  const auto* const qkv = reinterpret_cast<const uint16_t*>(a.qkv) + head.qkv;
  const GlobalRows q{qkv, head.qkv_step, seq, static_cast<int>(a.d)};
  const GlobalRows k{qkv + a.d, q.step, q.end, q.d};  // and the values beside them

  std::byte* const queries = dynamic_shared();
  std::byte* const stages = queries + Shape::kQueryBytes;  // keys and values, two of both
  const auto stage = [&](int key) {
    return stages + key / Shape::kKeys % 2 * 2 * Shape::kKeyBytes;
  };
  const auto load_stage = [&](int key) {
    load_tile<Shape::kKeys, Shape::kChunks, Shape::kThreads, kAligned, 2>(stage(key), k, key);
  };
  load_tile<Shape::kQueries, Shape::kChunks, Shape::kThreads, kAligned>(queries, q, first);
  load_stage(0);

  ForwardRows<Shape> rows;
  clear<2, Shape::kDim / 8>(rows.out);
  rows.softmax.start();
  const uint32_t mine = shared_address(queries) + (query - first) * Shape::kDim * 2;
  const int end = tiles::attended_keys(first, Shape::kQueries, seq);
  for (int key = 0; key < end; key += Shape::kKeys) {
    wait_for_copies();
    __syncthreads();  // the tile is there, and the one before it no longer read
    if (key + Shape::kKeys < end) load_stage(key + Shape::kKeys);
    if (key > query + 31 || query >= seq) continue;
    const uint32_t keys = shared_address(stage(key));
    forward_tile(rows, mine, query, keys, keys + Shape::kKeyBytes, key, scale);
  }
  store_forward<Shape, kAligned>(a, share.task, first, rows, queries, scale);
}

}  // namespace bench::kernels::cuda
