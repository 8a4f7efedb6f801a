#pragma once
// Backward of attention in tiles for Hopper, bfloat16 (Shah 2024, appendix B.1): as the backward in
// tiles, with one warp that has the tiles brought by the copy engine, and two groups of four warps
// that own 64 keys each. Scores are made transposed, so that the probabilities of a group's keys
// are in its registers as left operands of the products that need them.

#include "bench/base/bfloat16.h"
#include "kernels/args.h"
#include "kernels/attention/backward_plan_cuda.cuh"
#include "kernels/attention/hopper_tiles_cuda.cuh"
#include "kernels/attention/online_softmax_cuda.cuh"

namespace bench::kernels::cuda {

// Bytes of shared memory.
template <int kDim_>
struct HopperBackwardShape {
  static constexpr int kDim = kDim_, kChunks = kDim / 8;
  static constexpr int kKeys = 128, kQueries = kDim == 64 ? 128 : 64;
  static constexpr int kGroups = 2, kReaders = 4 * kGroups, kThreads = 128 * (kGroups + 1);
  static constexpr int kGroupRegisters = 240, kCopyRegisters = 24;
  static constexpr int kBlocksAtOnce = 1;  // on a multiprocessor
  using QueryGrad = tiles::TileInGroups<kQueries, kDim>;

  static constexpr int kKeyBytes = kKeys * kDim * 2, kQueryBytes = kQueries * kDim * 2;
  static constexpr int kScoreBytes = kKeys * kQueries * 2, kRowBytes = kQueries * 4;
  static constexpr int kStages = 2;  // of queries and d_out, and of gradients of scores
  static constexpr int kGuards = 2 + kStages;
  static constexpr int kBackwardShared = kTileAlignment + 3 * kKeyBytes +
                                         kStages * (2 * kQueryBytes + kScoreBytes + 2 * kRowBytes) +
                                         kGuards * Guard::kBytes;
};

// Shared memory of a thread block: keys, values, and on their way out the gradients of either; of
// each stage queries, d_out, gradients of scores [keys, queries], log sums and means of the
// queries.
template <class Shape>
struct HopperBackwardSpace {
  std::byte* memory;
  uint32_t begin, keys;

  __device__ __forceinline__ explicit HopperBackwardSpace(std::byte* all)
      : memory(all),
        begin(shared_address(all)),
        keys(tiles::ceil_div<uint32_t>(begin, kTileAlignment) * kTileAlignment) {}
  __device__ __forceinline__ uint32_t values() const { return keys + Shape::kKeyBytes; }
  __device__ __forceinline__ uint32_t grads() const { return values() + Shape::kKeyBytes; }
  __device__ __forceinline__ uint32_t queries(int stage) const {
    return grads() + Shape::kKeyBytes + stage * 2 * Shape::kQueryBytes;
  }
  __device__ __forceinline__ uint32_t d_out(int stage) const {
    return queries(stage) + Shape::kQueryBytes;
  }
  __device__ __forceinline__ uint32_t scores(int stage) const {
    return queries(Shape::kStages) + stage * Shape::kScoreBytes;
  }
  __device__ __forceinline__ uint32_t rows(int stage) const {
    return scores(Shape::kStages) + stage * 2 * Shape::kRowBytes;
  }
  __device__ __forceinline__ Guard of_keys() const { return {rows(Shape::kStages)}; }
  __device__ __forceinline__ Guard of_values() const { return {of_keys().full + Guard::kBytes}; }
  __device__ __forceinline__ Guard of_queries(int stage) const {
    return {of_keys().full + (2 + stage) * Guard::kBytes};
  }
  __device__ __forceinline__ std::byte* at(uint32_t address) const {
    return memory + (address - begin);
  }

  // By one thread. Queries come with log sums and means, which the warp that copies stores.
  __device__ __forceinline__ void start() const {
    of_keys().start(1, Shape::kReaders);
    of_values().start(1, Shape::kReaders);
    for (int stage = 0; stage < Shape::kStages; ++stage)
      of_queries(stage).start(1 + 32, Shape::kReaders);
    publish_barriers();
  }
};

struct HopperMaps {
  TensorMap qkv, d_out;  // [batch, seq, heads · 3 · d], [batch, seq, heads · d]
};

// body(tile) for each tile of keys of the group.
template <class Shape, class Body>
__device__ __forceinline__ void for_tiles_of_group(int seq, int group, int groups,
                                                   const Body& body) {
#pragma unroll 1
  for (int tile = 0; tile * Shape::kKeys < seq; ++tile) {
    if (tiles::group_of(tile, groups) == group) body(tile);
  }
}

// The warp that copies: everything in the order in which the others take it.
template <class Shape>
class HopperCopier {
 public:
  __device__ __forceinline__ HopperCopier(const AttentionBackward<bfloat16>& a,
                                          const BackwardPlan& plan, const HopperMaps& maps,
                                          const HopperBackwardSpace<Shape>& s, int task)
      : maps_(maps),
        s_(s),
        seq_(static_cast<int>(a.seq)),
        sequence_(task / static_cast<int>(a.heads)),
        column_(task % static_cast<int>(a.heads) * Shape::kDim),
        log_sums_(static_cast<const float*>(a.saved) + task * a.seq),
        means_(plan.means + task * a.seq) {}

  __device__ __forceinline__ void run(int group, int groups) {
    uint32_t tiles_taken = 0, turns = 0;
    for_tiles_of_group<Shape>(seq_, group, groups, [&](int tile) {
      const int key = tile * Shape::kKeys;
      if (threadIdx.x == 0) {
        copy_keys(s_.keys, s_.of_keys(), tiles_taken % 2, 1, key);
        copy_keys(s_.values(), s_.of_values(), tiles_taken % 2, 2, key);
      }
      ++tiles_taken;
#pragma unroll 1
      for (int i = tiles::first_query_tile(key, Shape::kQueries); i * Shape::kQueries < seq_; ++i)
        copy_queries(Turn<Shape::kStages>(turns++), i * Shape::kQueries);
    });
  }

 private:
  __device__ __forceinline__ void copy_keys(uint32_t to, const Guard& guard, uint32_t parity,
                                            int part, int row) {
    wait_for(guard.free(), parity ^ 1);
    arrive_and_expect(guard.full, Shape::kKeyBytes);
    copy_tile<Shape::kKeys, Shape::kDim>(to, maps_.qkv, guard.full,
                                         column_ * 3 + part * Shape::kDim, row, sequence_);
  }

  __device__ __forceinline__ void copy_queries(const Turn<Shape::kStages>& turn, int row) {
    const Guard guard = s_.of_queries(turn.stage);
    wait_for(guard.free(), turn.parity ^ 1);
    if (threadIdx.x == 0) {
      arrive_and_expect(guard.full, 2 * Shape::kQueryBytes);
      copy_tile<Shape::kQueries, Shape::kDim>(s_.queries(turn.stage), maps_.qkv, guard.full,
                                              column_ * 3, row, sequence_);
      copy_tile<Shape::kQueries, Shape::kDim>(s_.d_out(turn.stage), maps_.d_out, guard.full,
                                              column_, row, sequence_);
    }
    auto* const rows = reinterpret_cast<float*>(s_.at(s_.rows(turn.stage)));
#pragma unroll
    for (int r = threadIdx.x; r < Shape::kQueries; r += 32) {
      const bool there = row + r < seq_;
      rows[r] = there ? log_sums_[row + r] : 0;
      rows[Shape::kQueries + r] = there ? means_[row + r] : 0;
    }
    arrive(guard.full);
  }

  const HopperMaps& maps_;
  const HopperBackwardSpace<Shape>& s_;
  int seq_, sequence_, column_;  // of q in a third of a row of qkv, and of d_out
  const float *log_sums_, *means_;
};

// One group of four warps: 64 of each tile of keys.
template <class Shape>
class HopperKeys {
 public:
  __device__ __forceinline__ HopperKeys(const AttentionBackward<bfloat16>& a,
                                        const BackwardPlan& plan,
                                        const HopperBackwardSpace<Shape>& s, int task)
      : a_(a),
        plan_(plan),
        s_(s),
        task_(task),
        thread_(static_cast<int>(threadIdx.x) - 128),
        half_(thread_ / 128) {}

  __device__ __forceinline__ void run(int group) {
    const int seq = static_cast<int>(a_.seq);
    float* const query_grads =
        plan_.query_grads + query_grad_offset<Shape>(plan_, seq, group, task_);
    uint32_t tiles_taken = 0, turns = 0;
    for_tiles_of_group<Shape>(seq, group, plan_.groups, [&](int tile) {
      const int key = tile * Shape::kKeys;
      const int from = tiles::first_query_tile(key, Shape::kQueries);
      wait_for(s_.of_keys().full, tiles_taken % 2);
      wait_for(s_.of_values().full, tiles_taken % 2);
#pragma unroll 1
      for (int i = from; i * Shape::kQueries < seq; ++i) {
        const Turn<Shape::kStages> turn(turns++);
        start_scores(turn);
        make_grads(turn, key, i * Shape::kQueries);
        start_sums(turn, i > from);
        wait_for_products<0>(d_queries_);
        pin(d_keys_);
        pin(d_values_);
        s_.of_queries(turn.stage).release();
        // In a group of its own, the first tile of keys meets all queries that the others meet.
        store_query_grad(query_grads + i * Shape::QueryGrad::kSize, plan_.shared || tile != group);
      }
      s_.of_keys().release();
      s_.of_values().release();
      store_key_grads(key, seq);
      ++tiles_taken;
    });
  }

 private:
  static constexpr int kScoreTiles = Shape::kQueries / 8;
  using Scores = Accumulators<1, kScoreTiles>;

  // Starts scoresᵀ = k · qᵀ and the products v · d_outᵀ of the group's keys.
  __device__ __forceinline__ void start_scores(const Turn<Shape::kStages>& turn) {
    wait_for(s_.of_queries(turn.stage).full, turn.parity);
    const uint32_t k = s_.keys + half_ * 64 * 128, v = s_.values() + half_ * 64 * 128;
    pin(p_);
    pin(ds_);
    before_products();
#pragma unroll
    for (int i = 0; i < Shape::kDim / 16; ++i)
      multiply_shared(p_, along_rows<Shape::kKeys>(k, i),
                      along_rows<Shape::kQueries>(s_.queries(turn.stage), i), i > 0);
#pragma unroll
    for (int i = 0; i < Shape::kDim / 16; ++i)
      multiply_shared(ds_, along_rows<Shape::kKeys>(v, i),
                      along_rows<Shape::kQueries>(s_.d_out(turn.stage), i), i > 0);
    commit_products();
    wait_for_products<0>(p_);
    pin(ds_);
  }

  // Scores -> p = exp2(scale s - log_sum), products -> ds = p (dp - mean), transposed, zero where
  // the key comes after the query; ds to shared memory as well. `key`, `query`: of the tiles'
  // first.
  __device__ __forceinline__ void make_grads(const Turn<Shape::kStages>& turn, int key, int query) {
    const tiles::Place place = tiles::accumulator_place(thread_ % 32, 0);
    const int row = thread_ / 32 * 16 + place.row;  // of the tile of keys
    const auto* const log_sums = reinterpret_cast<const float*>(s_.at(s_.rows(turn.stage)));
    const float scale = plan_.score_scale * kLog2E;
    const bool masked = key + half_ * 64 + 63 > query;
#pragma unroll
    for (int n = 0; n < kScoreTiles; ++n) {
      const int column = 8 * n + place.column;
      const float2 log_sum = *reinterpret_cast<const float2*>(log_sums + column);
      const float2 mean = *reinterpret_cast<const float2*>(log_sums + Shape::kQueries + column);
#pragma unroll
      for (int i = 0; i < 4; ++i) {
        float& p = p_[0][n][i];
        float& ds = ds_[0][n][i];
        p = fast_exp2(fmaf(p, scale, -(i % 2 == 0 ? log_sum.x : log_sum.y)));
        ds = p * (ds - (i % 2 == 0 ? mean.x : mean.y));
        if (masked && key + row + i / 2 * 8 > query + column + i % 2) p = ds = 0;
      }
    }
    pack_left(p_, left_p_);
    pack_left(ds_, left_ds_);
    std::byte* const to = s_.at(s_.scores(turn.stage));
#pragma unroll
    for (int n = 0; n < kScoreTiles; ++n) {
#pragma unroll
      for (int half = 0; half < 2; ++half) {
        const int panel = n / 8 * Shape::kKeys * 128;
        const int offset = tiles::chunk_offset<8>(row + 8 * half, n % 8) + place.column * 2;
        *reinterpret_cast<uint32_t*>(to + panel + offset) = left_ds_[0][n / 2][n % 2 * 2 + half];
      }
    }
    publish_stores();
  }

  // Starts d_values (+)= pᵀ · d_out and d_keys (+)= dsᵀ · q of the group's keys, and, once both
  // groups' ds are there, d_queries = ds · k of half of the queries or of d.
  __device__ __forceinline__ void start_sums(const Turn<Shape::kStages>& turn, bool add) {
    pin(left_p_);
    pin(left_ds_);
    pin(d_values_);
    pin(d_keys_);
    before_products();
#pragma unroll
    for (int i = 0; i < Shape::kQueries / 16; ++i)
      multiply_left(d_values_, left_p_[0][i], across_rows<Shape::kQueries>(s_.d_out(turn.stage), i),
                    add || i > 0);
#pragma unroll
    for (int i = 0; i < Shape::kQueries / 16; ++i)
      multiply_left(d_keys_, left_ds_[0][i],
                    across_rows<Shape::kQueries>(s_.queries(turn.stage), i), add || i > 0);
    commit_products();
    meet(1, Shape::kGroups * 128);
    constexpr int kPanel = Shape::kKeys * 128;
    const uint32_t scores = s_.scores(turn.stage) + (Shape::kQueries == 128 ? half_ * kPanel : 0);
    const uint32_t keys = s_.keys + (Shape::kDim == 128 ? half_ * kPanel : 0);
    pin(d_queries_);
    before_products();
#pragma unroll
    for (int i = 0; i < Shape::kKeys / 16; ++i)
      multiply_across(d_queries_, across_rows<Shape::kKeys>(scores, i),
                      across_rows<Shape::kKeys>(keys, i), i > 0);
    commit_products();
  }

  __device__ __forceinline__ void store_query_grad(float* to, bool to_what_is_there) {
#pragma unroll
    for (int n = 0; n < Shape::QueryGrad::kTiles; ++n) {
      float* const place = to + Shape::QueryGrad::offset(n, thread_);
      const float(&x)[4] = d_queries_[0][n];
      if (to_what_is_there) {
        add_to_global(place, make_float4(x[0], x[1], x[2], x[3]));
      } else {
        *reinterpret_cast<float4*>(place) = make_float4(x[0], x[1], x[2], x[3]);
      }
    }
  }

  // The tile's gradients to d_qkv, each warp its own rows.
  __device__ __forceinline__ void store_key_grads(int key, int seq) {
    const HeadRows head(a_, task_);
    auto* const to = reinterpret_cast<uint16_t*>(a_.d_qkv) + head.qkv + Shape::kDim;
    const GlobalRows shape{.memory = nullptr, .step = head.qkv_step, .end = seq, .d = Shape::kDim};
    const float scales[1][2] = {{plan_.score_scale, plan_.score_scale}};
    constexpr float kOnes[1][2] = {{1, 1}};
    store_rows(d_keys_, scales, to, shape, key);
    store_rows(d_values_, kOnes, to + Shape::kDim, shape, key);
  }

  __device__ __forceinline__ void store_rows(const Accumulators<1, Shape::kDim / 8>& sums,
                                             const float (&factors)[1][2], uint16_t* to,
                                             const GlobalRows& shape, int key) {
    const int row = thread_ / 32 * 16;
    std::byte* const tile = s_.at(s_.grads());
    narrow_to_tile<Shape::kChunks>(sums, factors, tile, row, 0);
    __syncwarp();
    store_tile<Shape::kChunks, true>(tile, row, 16, to, shape, key, thread_ % 32, 32);
    __syncwarp();
  }

  const AttentionBackward<bfloat16>& a_;
  const BackwardPlan& plan_;
  const HopperBackwardSpace<Shape>& s_;
  int task_, thread_, half_;
  Scores p_, ds_;
  uint32_t left_p_[1][kScoreTiles / 2][4], left_ds_[1][kScoreTiles / 2][4];
  Accumulators<1, Shape::kDim / 8> d_keys_, d_values_;
  Accumulators<1, 8> d_queries_;
};

// Grid: batch · heads · groups of tiles of keys.
template <class Shape>
__global__ void __launch_bounds__(Shape::kThreads, 1)
    hopper_backward_kernel(const __grid_constant__ AttentionBackward<bfloat16> a,
                           const __grid_constant__ BackwardPlan plan,
                           const __grid_constant__ HopperMaps maps) {
  const tiles::Share share = tiles::share_of(blockIdx.x, plan.tasks, plan.groups, plan.section);
  const int group = plan.groups - 1 - share.tile;
  const HopperBackwardSpace<Shape> s(dynamic_shared());
  if (threadIdx.x == 0) s.start();
  __syncthreads();
  if (threadIdx.x < 128) {
    give_registers<Shape::kCopyRegisters>();
    if (threadIdx.x < 32) HopperCopier<Shape>(a, plan, maps, s, share.task).run(group, plan.groups);
  } else {
    take_registers<Shape::kGroupRegisters>();
    HopperKeys<Shape>(a, plan, s, share.task).run(group);
  }
}

}  // namespace bench::kernels::cuda
