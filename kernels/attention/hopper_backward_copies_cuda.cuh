#pragma once
// Backward of attention in tiles for Hopper: the shared memory of a thread block, and the warp that
// has it filled.

#include "bench/base/bfloat16.h"
#include "kernels/args.h"
#include "kernels/attention/backward_plan_cuda.cuh"
#include "kernels/attention/hopper_tiles_cuda.cuh"

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
class HopperBackwardCopier {
 public:
  __device__ __forceinline__ HopperBackwardCopier(const AttentionBackward<bfloat16>& a,
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

}  // namespace bench::kernels::cuda
