#pragma once
// Forward of attention in tiles for Hopper, bfloat16 (Shah 2024): one warp has the tiles brought by
// the copy engine; groups of four warps own 64 queries each and multiply on operands in shared
// memory. While a group's tensor cores take the values of one tile of keys, it makes the
// probabilities of the next.

#include "bench/base/bfloat16.h"
#include "kernels/args.h"
#include "kernels/attention/hopper_tiles_cuda.cuh"
#include "kernels/attention/online_softmax_cuda.cuh"

namespace bench::kernels::cuda {

// Bytes of shared memory.
template <int kDim_>
struct HopperForwardShape {
  static constexpr int kDim = kDim_, kChunks = kDim / 8;
  static constexpr int kGroups = kDim == 64 ? 3 : 2;  // of warps that multiply
  static constexpr int kQueries = 64 * kGroups, kKeys = 128;
  static constexpr int kStages = kDim == 64 ? 3 : 2;  // of keys, and of values

  // The first query of a tile. Where a tile lacks groups it is the first one, which is over
  // soonest: its first groups, before the sequence, do nothing.
  static __device__ __forceinline__ int first_query(int tile, int seq) {
    const int groups = tiles::ceil_div(seq, 64);
    return (tile * kGroups - (kGroups - groups % kGroups) % kGroups) * 64;
  }

  static constexpr int kThreads = 128 * (kGroups + 1);
  static constexpr int kGroupRegisters = kGroups == 2 ? 240 : 160;
  static constexpr int kCopyRegisters = kGroups == 2 ? 24 : 32;
  static constexpr int kQueryBytes = kQueries * kDim * 2, kKeyBytes = kKeys * kDim * 2;
  static constexpr int kForwardShared = kTileAlignment + 2 * kQueryBytes + 2 * kStages * kKeyBytes +
                                        Guard::kBytes * (1 + 2 * kStages) + 16;
};

// Shared memory of a thread block.
template <class Shape>
struct HopperForwardSpace {
  std::byte* out;  // [kQueries, kDim] as of tiles::chunk_offset
  uint32_t queries, all_keys, all_values, guards;

  __device__ __forceinline__ explicit HopperForwardSpace(std::byte* memory) {
    const uint32_t begin = shared_address(memory);
    queries = tiles::ceil_div<uint32_t>(begin, kTileAlignment) * kTileAlignment;
    all_keys = queries + Shape::kQueryBytes;
    all_values = all_keys + Shape::kStages * Shape::kKeyBytes;
    out = memory + (all_values + Shape::kStages * Shape::kKeyBytes - begin);
    guards = all_values + Shape::kStages * Shape::kKeyBytes + Shape::kQueryBytes;
  }
  __device__ __forceinline__ uint32_t keys(int stage) const {
    return all_keys + stage * Shape::kKeyBytes;
  }
  __device__ __forceinline__ uint32_t values(int stage) const {
    return all_values + stage * Shape::kKeyBytes;
  }
  // Which of the grid's blocks the queries are of, or kNoMore; comes and goes with them.
  static constexpr int kNoMore = -1;
  __device__ __forceinline__ int* block() const {
    return reinterpret_cast<int*>(out + Shape::kQueryBytes +
                                  Guard::kBytes * (1 + 2 * Shape::kStages));
  }
  __device__ __forceinline__ Guard of_queries() const { return {guards}; }
  __device__ __forceinline__ Guard of_keys(int stage) const {
    return {guards + Guard::kBytes * (1 + 2 * stage)};
  }
  __device__ __forceinline__ Guard of_values(int stage) const {
    return {guards + Guard::kBytes * (2 + 2 * stage)};
  }

  // By one thread.
  __device__ __forceinline__ void start() const {
    constexpr int kReaders = Shape::kGroups * 4;
    of_queries().start(1, kReaders);
    for (int stage = 0; stage < Shape::kStages; ++stage) {
      of_keys(stage).start(1, kReaders);
      of_values(stage).start(1, kReaders);
    }
    publish_barriers();
  }
};

struct HopperForwardPlan {
  float scale;  // what exp2's argument has over the product q · k
  ForwardGrid grid;
  int* taken;  // so many of the grid's blocks beyond the first of each thread block; 0 at the start
};

// What the copying thread does: everything in the order in which the others take it. It also asks
// for work, since nobody knows beforehand how long a block takes beside others.
template <class Shape>
class HopperForwardCopier {
 public:
  __device__ __forceinline__ HopperForwardCopier(const AttentionForward<bfloat16>& a,
                                                 const HopperForwardPlan& plan,
                                                 const HopperForwardSpace<Shape>& s,
                                                 const TensorMap& map)
      : plan_(plan),
        s_(s),
        map_(map),
        heads_(static_cast<int>(a.heads)),
        seq_(static_cast<int>(a.seq)) {}

  __device__ __forceinline__ void run() {
    uint32_t turns = 0, blocks = 0;
    int block = static_cast<int>(blockIdx.x);
    for (; block < plan_.grid.blocks(); ++blocks) {
      const tiles::Share share = plan_.grid.share(block);
      const int first = Shape::first_query(share.tile, seq_), d = Shape::kDim;
      const int end = tiles::attended_keys(first, Shape::kQueries, seq_);
      const int sequence = share.task / heads_, column = share.task % heads_ * 3 * d;
      wait_for(s_.of_queries().free(), blocks % 2 ^ 1);
      *s_.block() = block;
      fill<Shape::kQueries>(s_.queries, s_.of_queries(), column, first, sequence);
      const int next = static_cast<int>(gridDim.x) + atomicAdd(plan_.taken, 1);
#pragma unroll 1
      for (int key = 0; key < end; key += Shape::kKeys, ++turns) {
        const Turn<Shape::kStages> turn(turns);
        wait_for(s_.of_keys(turn.stage).free(), turn.parity ^ 1);
        fill<Shape::kKeys>(s_.keys(turn.stage), s_.of_keys(turn.stage), column + d, key, sequence);
        wait_for(s_.of_values(turn.stage).free(), turn.parity ^ 1);
        fill<Shape::kKeys>(s_.values(turn.stage), s_.of_values(turn.stage), column + 2 * d, key,
                           sequence);
      }
      block = next;
    }
    wait_for(s_.of_queries().free(), blocks % 2 ^ 1);
    *s_.block() = s_.kNoMore;
    arrive(s_.of_queries().full);
  }

 private:
  template <int kRows>
  __device__ __forceinline__ void fill(uint32_t tile, const Guard& guard, int column, int row,
                                       int sequence) {
    arrive_and_expect(guard.full, kRows * Shape::kDim * 2);
    copy_tile<kRows, Shape::kDim>(tile, map_, guard.full, column, row, sequence);
  }

  const HopperForwardPlan& plan_;
  const HopperForwardSpace<Shape>& s_;
  const TensorMap& map_;
  int heads_, seq_;
};

// One group of four warps: 64 queries.
template <class Shape>
class HopperQueries {
 public:
  __device__ __forceinline__ HopperQueries(const AttentionForward<bfloat16>& a,
                                           const HopperForwardPlan& plan,
                                           const HopperForwardSpace<Shape>& s, int group)
      : a_(a), plan_(plan), s_(s), group_(group) {}

  __device__ __forceinline__ void run() {
    uint32_t turns = 0;
    for (uint32_t blocks = 0;; ++blocks) {
      wait_for(s_.of_queries().full, blocks % 2);
      const int block = *s_.block();
      if (block == s_.kNoMore) return;
      const tiles::Share share = plan_.grid.share(block);
      const int seq = static_cast<int>(a_.seq), first = Shape::first_query(share.tile, seq);
      const int query = first + 64 * group_;
      const uint32_t all =
          tiles::ceil_div(tiles::attended_keys(first, Shape::kQueries, seq), Shape::kKeys);
      // Not those that only later groups attend to.
      const uint32_t mine =
          query < 0 ? 0 : tiles::ceil_div(tiles::attended_keys(query, 64, seq), Shape::kKeys);
      if (mine > 0) {
        attend(query, turns, mine);
        store(share.task, first, query);
      } else {
        s_.of_queries().release();
      }
#pragma unroll 1
      for (uint32_t n = turns + mine; n < turns + all; ++n) pass_by(Turn<Shape::kStages>(n));
      turns += all;
    }
  }

 private:
  // Of a tile of keys: eight at a time. The last tile of every other group is half a one.
  static constexpr int kWhole = Shape::kKeys / 8, kHalf = kWhole / 2;

  __device__ __forceinline__ void pass_by(const Turn<Shape::kStages>& turn) {
    wait_for(s_.of_keys(turn.stage).full, turn.parity);
    s_.of_keys(turn.stage).release();
    wait_for(s_.of_values(turn.stage).full, turn.parity);
    s_.of_values(turn.stage).release();
  }

  // Starts scores = q · kᵀ.
  template <int kCount>
  __device__ __forceinline__ void start_scores(Accumulators<1, kCount>& scores,
                                               const Turn<Shape::kStages>& turn) {
    wait_for(s_.of_keys(turn.stage).full, turn.parity);
    pin(scores);
    before_products();
#pragma unroll
    for (int i = 0; i < Shape::kDim / 16; ++i)
      multiply_shared(scores, along_rows<Shape::kQueries>(s_.queries + group_ * 64 * 128, i),
                      along_rows<Shape::kKeys>(s_.keys(turn.stage), i), i > 0);
    commit_products();
  }

  // Starts out (+)= p · v.
  template <int kCount>
  __device__ __forceinline__ void start_values(const Turn<Shape::kStages>& turn, bool add) {
    wait_for(s_.of_values(turn.stage).full, turn.parity);
    pin(out_);
    pin(p_);
    before_products();
#pragma unroll
    for (int i = 0; i < kCount / 2; ++i)
      multiply_left(out_, p_[0][i], across_rows<Shape::kKeys>(s_.values(turn.stage), i),
                    add || i > 0);
    commit_products();
  }

  // Scores of the tile of keys from `key` become exponentials.
  template <int kCount>
  __device__ __forceinline__ bool make_exponentials(Accumulators<1, kCount>& scores, int query,
                                                    int key, float (&factors)[1][2]) {
    const int row = query + static_cast<int>(threadIdx.x) / 32 % 4 * 16;
    if (key + kCount * 8 - 1 > row) mask_scores(scores, row, key);
    return exponentials(rows_, scores, plan_.scale, factors);
  }

  template <int kCount>
  __device__ __forceinline__ void keep(const Accumulators<1, kCount>& exponentials) {
    pin(p_);
    pack_left(exponentials, reinterpret_cast<uint32_t(&)[1][kCount / 2][4]>(p_));
  }

  // The first tile of keys; `n`: its turn.
  template <int kCount>
  __device__ __forceinline__ void begin(int query, uint32_t n) {
    const Turn<Shape::kStages> turn(n);
    Accumulators<1, kCount> scores;
    float factors[1][2];
    start_scores(scores, turn);
    wait_for_products<0>(scores);
    s_.of_keys(turn.stage).release();
    make_exponentials(scores, query, 0, factors);
    keep(scores);
  }

  // The tile of keys from `key`, while the values of the one before are added.
  template <int kCount>
  __device__ __forceinline__ void go_on(int query, int key, uint32_t n) {
    const Turn<Shape::kStages> before(n - 1), now(n);
    Accumulators<1, kCount> scores;
    float factors[1][2];
    start_scores(scores, now);
    start_values<kWhole>(before, key > Shape::kKeys);
    wait_for_products<1>(scores);
    s_.of_keys(now.stage).release();
    const bool grown = make_exponentials(scores, query, key, factors);
    wait_for_products<0>(out_);
    s_.of_values(before.stage).release();
    if (grown) scale_rows(out_, factors);
    keep(scores);
  }

  // The values of the last tile.
  template <int kCount>
  __device__ __forceinline__ void end(uint32_t n, bool add) {
    const Turn<Shape::kStages> turn(n);
    start_values<kCount>(turn, add);
    wait_for_products<0>(out_);
    s_.of_values(turn.stage).release();
  }

  // The group's queries against `count` tiles of keys, of which the first takes turn `from`.
  __device__ __forceinline__ void attend(int query, uint32_t from, uint32_t count) {
    const bool half = query % Shape::kKeys == 0;
    const uint32_t last = count - 1;
    const int last_key = static_cast<int>(last) * Shape::kKeys;
    rows_.start();
    if (half && last == 0) {
      begin<kHalf>(query, from);
    } else {
      begin<kWhole>(query, from);
    }
    for (uint32_t n = 1; n < last + (half ? 0 : 1); ++n)
      go_on<kWhole>(query, static_cast<int>(n) * Shape::kKeys, from + n);
    if (half && last > 0) go_on<kHalf>(query, last_key, from + last);
    s_.of_queries().release();
    if (half) {
      end<kHalf>(from + last, last > 0);
    } else {
      end<kWhole>(from + last, last > 0);
    }
  }

  // Out and the logarithms of the sums of the rows from `query`; `first`: of the block's tile.
  __device__ __forceinline__ void store(int task, int first, int query) {
    const int thread = threadIdx.x % 128, row = group_ * 64 + thread / 32 * 16;
    const int seq = static_cast<int>(a_.seq);
    float factors[1][2];
    finish_rows(rows_, query + thread / 32 * 16, seq, plan_.scale,
                static_cast<float*>(a_.saved) + task * a_.seq, factors);
    narrow_to_tile<Shape::kChunks>(out_, factors, s_.out, row, 0);
    __syncwarp();
    const HeadRows head(a_, task);
    store_tile<Shape::kChunks, true>(
        s_.out, row, 16, reinterpret_cast<uint16_t*>(a_.out) + head.out,
        {.memory = nullptr, .step = head.out_step, .end = seq, .d = Shape::kDim}, first,
        thread % 32, 32);
    __syncwarp();
  }

  const AttentionForward<bfloat16>& a_;
  const HopperForwardPlan& plan_;
  const HopperForwardSpace<Shape>& s_;
  int group_;
  Accumulators<1, Shape::kDim / 8> out_;
  SoftmaxRows<1> rows_;
  uint32_t p_[1][Shape::kKeys / 16][4];
};

// Grid: as many thread blocks as run at once. `qkv`: [batch, seq, heads · 3 · d], boxes of 64 rows
// by 64 columns, swizzled by 128 bytes.
template <class Shape>
__global__ void __launch_bounds__(Shape::kThreads, 1)
    hopper_forward_kernel(const __grid_constant__ AttentionForward<bfloat16> a,
                          const __grid_constant__ HopperForwardPlan plan,
                          const __grid_constant__ TensorMap qkv) {
  const HopperForwardSpace<Shape> s(dynamic_shared());
  if (threadIdx.x == 0) s.start();
  __syncthreads();
  if (threadIdx.x < 128) {
    give_registers<Shape::kCopyRegisters>();
    if (threadIdx.x == 0) HopperForwardCopier<Shape>(a, plan, s, qkv).run();
  } else {
    take_registers<Shape::kGroupRegisters>();
    HopperQueries<Shape>(a, plan, s, static_cast<int>(threadIdx.x) / 128 - 1).run();
  }
}

}  // namespace bench::kernels::cuda
