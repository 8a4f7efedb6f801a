#pragma once
// Backward of attention in tiles for Hopper, bfloat16 (Shah 2024, appendix B.1): as the backward in
// tiles, with one warp that has the tiles brought by the copy engine, and two groups of four warps
// that own 64 keys each. Scores are made transposed, so that the probabilities of a group's keys
// are in its registers as left operands of the products that need them.

#include "kernels/attention/hopper_backward_copies_cuda.cuh"
#include "kernels/attention/online_softmax_cuda.cuh"

namespace bench::kernels::cuda {

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
    if (threadIdx.x < 32)
      HopperBackwardCopier<Shape>(a, plan, maps, s, share.task).run(group, plan.groups);
  } else {
    take_registers<Shape::kGroupRegisters>();
    HopperKeys<Shape>(a, plan, s, share.task).run(group);
  }
}

}  // namespace bench::kernels::cuda
