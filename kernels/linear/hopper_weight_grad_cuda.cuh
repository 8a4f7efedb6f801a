#pragma once
// Weight and bias gradient of a linear layer for Hopper, bfloat16: dw[out, in] = dyᵀ · x over all
// tokens, each tile of it by two or three groups of four warps and one warp that has the operands
// brought by the copy engine. The depth is the tokens; blocks share that of a tile (depth_plan.h)
// and leave parts, which are added up in the order of the depth. Warps beside the one that copies
// add up the columns of dy from the same tiles: the bias gradient reads nothing from memory.

#include "kernels/cuda/hopper_tiles.cuh"
#include "kernels/cuda/tensor_core.cuh"
#include "kernels/linear/depth_plan.h"

namespace bench::kernels::cuda {

// Bytes of shared memory.
template <int kGroups_, int kColumns_>
struct WeightGradShape {
  static constexpr int kGroups = kGroups_;
  static constexpr int kRows = 64 * kGroups, kColumns = kColumns_;  // of a tile of dw
  static constexpr int kDepth = 64;                                 // tokens of a step
  static constexpr int kMakers = 128 * kGroups, kThreads = 128 + kMakers;
  static constexpr int kGroupRegisters = kGroups == 2 ? 216 : 152;
  static constexpr int kCopyRegisters = kGroups == 2 ? 72 : 56;
  static constexpr int kTiles = kColumns / 8;  // accumulators of a thread, of four

  static constexpr int kPanelBytes = kDepth * 128;  // 64 columns of dy or x
  static constexpr int kLeftPanels = kGroups, kRightPanels = kColumns / 64;
  static constexpr int kStageBytes = (kLeftPanels + kRightPanels) * kPanelBytes;
  static constexpr int kStages = 4;
  static constexpr int kShared = kTileAlignment + kStages * (kStageBytes + Guard::kBytes);

  static constexpr int64_t kPartSize = int64_t{kRows} * kColumns;  // floats
};

struct WeightGradWork {
  DepthPlan plan;
  int out, in, column_tiles;
  bool accumulate;
  float* dw;          // [out, in]
  float* d_bias;      // [out] or nullptr
  float* parts;       // [slots, kPartSize]: four of a thread beside those of the next thread
  float* bias_parts;  // [slots, kRows]
};
using SquareWeightGrad = WeightGradShape<3, 192>;  // reads least
using LongWeightGrad = WeightGradShape<2, 256>;

template <class Shape>
struct WeightGradSpace {
  std::byte* memory;
  uint32_t begin, tiles;

  __device__ __forceinline__ explicit WeightGradSpace(std::byte* all)
      : memory(all),
        begin(shared_address(all)),
        tiles((begin + kTileAlignment - 1) / kTileAlignment * kTileAlignment) {}
  __device__ __forceinline__ uint32_t left(int stage) const {
    return tiles + stage * Shape::kStageBytes;
  }
  __device__ __forceinline__ uint32_t right(int stage) const {
    return left(stage) + Shape::kLeftPanels * Shape::kPanelBytes;
  }
  __device__ __forceinline__ Guard guard(int stage) const {
    return {tiles + Shape::kStages * Shape::kStageBytes + stage * Guard::kBytes};
  }
  __device__ __forceinline__ const std::byte* at(uint32_t address) const {
    return memory + (address - begin);
  }
  // By one thread.
  __device__ __forceinline__ void start(int readers) const {
    for (int stage = 0; stage < Shape::kStages; ++stage) guard(stage).start(1, readers);
    publish_barriers();
  }
};

// What a thread of the groups has of tile n of eight columns, to the gradient: two numbers in each
// of two rows.
template <class Shape>
__device__ __forceinline__ void store_gradient(const WeightGradWork& w, int tile, int thread, int n,
                                               const float4& sum, bool add) {
  const int row = tile / w.column_tiles * Shape::kRows + thread / 32 * 16 + thread % 32 / 4;
  const int column = tile % w.column_tiles * Shape::kColumns + n * 8 + thread % 4 * 2;
  if (column >= w.in) return;  // which is a multiple of 8
  const auto put = [&](int r, float x, float y) {
    if (r >= w.out) return;
    float2* const to = reinterpret_cast<float2*>(w.dw + int64_t{r} * w.in + column);
    const float2 before = add ? *to : make_float2(0, 0);
    *to = make_float2(before.x + x, before.y + y);
  };
  put(row, sum.x, sum.y);
  put(row + 8, sum.z, sum.w);
}

// Four warps: 64 rows of each tile of the block.
template <class Shape>
__device__ __forceinline__ void multiply_pieces(const WeightGradWork& w,
                                                const WeightGradSpace<Shape>& s) {
  const int thread = static_cast<int>(threadIdx.x) - 128, panel = thread / 128 * Shape::kPanelBytes;
  DepthPieces pieces(w.plan, static_cast<int>(blockIdx.x));
  uint32_t turns = 0;
  float sums[1][Shape::kTiles][4];
  for (DepthPiece piece; pieces.next(piece);) {
    const int steps = piece.end - piece.begin;
#pragma unroll 1
    for (int k = 0; k < steps; ++k) {
      const Turn<Shape::kStages> turn(turns + k);
      wait_for(s.guard(turn.stage).full, turn.parity);
      pin(sums);
      before_products();
#pragma unroll
      for (int i = 0; i < Shape::kDepth / 16; ++i) {
        multiply_across(sums, across_rows<Shape::kDepth>(s.left(turn.stage) + panel, i),
                        across_rows<Shape::kDepth>(s.right(turn.stage), i), k > 0 || i > 0);
      }
      commit_products();
      wait_for_products<1>(sums);
      if (k > 0) s.guard(Turn<Shape::kStages>(turns + k - 1).stage).release();
    }
    wait_for_products<0>(sums);
    turns += steps;
    s.guard(Turn<Shape::kStages>(turns - 1).stage).release();
    float* const part = w.parts + piece.slot * Shape::kPartSize + thread * 4;
#pragma unroll
    for (int n = 0; n < Shape::kTiles; ++n) {
      const float4 sum = make_float4(sums[0][n][0], sums[0][n][1], sums[0][n][2], sums[0][n][3]);
      if (piece.slot < 0) {
        store_gradient<Shape>(w, piece.tile, thread, n, sum, w.accumulate);
      } else {
        *reinterpret_cast<float4*>(part + n * Shape::kMakers * 4) = sum;
      }
    }
  }
}

// One thread has all boxes brought.
template <class Shape>
__device__ __forceinline__ void copy_pieces(const WeightGradWork& w,
                                            const WeightGradSpace<Shape>& s, const TensorMap& dy,
                                            const TensorMap& x) {
  DepthPieces pieces(w.plan, static_cast<int>(blockIdx.x));
  uint32_t turns = 0;
  for (DepthPiece piece; pieces.next(piece);) {
    const int row = piece.tile / w.column_tiles * Shape::kRows;
    const int column = piece.tile % w.column_tiles * Shape::kColumns;
#pragma unroll 1
    for (int k = piece.begin; k < piece.end; ++k) {
      const Turn<Shape::kStages> turn(turns++);
      const Guard guard = s.guard(turn.stage);
      wait_for(guard.free(), turn.parity ^ 1);
      arrive_and_expect(guard.full, Shape::kStageBytes);
#pragma unroll
      for (int panel = 0; panel < Shape::kLeftPanels; ++panel) {
        copy_box(s.left(turn.stage) + panel * Shape::kPanelBytes, dy, guard.full, row + panel * 64,
                 k * Shape::kDepth, 0);
      }
#pragma unroll
      for (int panel = 0; panel < Shape::kRightPanels; ++panel) {
        copy_box(s.right(turn.stage) + panel * Shape::kPanelBytes, x, guard.full,
                 column + panel * 64, k * Shape::kDepth, 0);
      }
    }
  }
}

// A warp adds up 64 columns of dy, two a lane, in the blocks that make the first column of tiles.
template <class Shape>
__device__ __forceinline__ void add_columns(const WeightGradWork& w,
                                            const WeightGradSpace<Shape>& s, int panel) {
  const int lane = static_cast<int>(threadIdx.x) % 32;
  DepthPieces pieces(w.plan, static_cast<int>(blockIdx.x));
  uint32_t turns = 0;
  for (DepthPiece piece; pieces.next(piece);) {
    const bool mine = piece.tile % w.column_tiles == 0;
    float sums[2] = {};
#pragma unroll 1
    for (int k = piece.begin; k < piece.end; ++k) {
      const Turn<Shape::kStages> turn(turns++);
      const Guard guard = s.guard(turn.stage);
      wait_for(guard.full, turn.parity);
      const std::byte* const rows = s.at(s.left(turn.stage) + panel * Shape::kPanelBytes);
#pragma unroll 8
      for (int r = 0; mine && r < Shape::kDepth; ++r) {
        const int chunk = lane / 4 ^ r % 8;  // as the boxes are swizzled
        const uint32_t pair =
            *reinterpret_cast<const uint32_t*>(rows + r * 128 + chunk * 16 + lane % 4 * 4);
        sums[0] += __uint_as_float(pair << 16);
        sums[1] += __uint_as_float(pair & 0xffff0000);
      }
      guard.release();
    }
    if (!mine) continue;
    const int of_tile = panel * 64 + lane * 2;
    const int first = piece.tile / w.column_tiles * Shape::kRows + of_tile;
#pragma unroll
    for (int i = 0; i < 2; ++i) {
      if (piece.slot >= 0) {
        w.bias_parts[piece.slot * Shape::kRows + of_tile + i] = sums[i];
      } else if (first + i < w.out) {
        w.d_bias[first + i] = (w.accumulate ? w.d_bias[first + i] : 0) + sums[i];
      }
    }
  }
}

// Grid: the plan's blocks.
template <class Shape>
__global__ void __launch_bounds__(Shape::kThreads, 1)
    weight_grad_kernel(const __grid_constant__ WeightGradWork w,
                       const __grid_constant__ TensorMap dy, const __grid_constant__ TensorMap x) {
  const WeightGradSpace<Shape> s(dynamic_shared());
  const bool with_bias = w.d_bias != nullptr;
  if (threadIdx.x == 0) s.start((with_bias ? 5 : 4) * Shape::kGroups);
  __syncthreads();
  if (threadIdx.x < 128) {
    give_registers<Shape::kCopyRegisters>();
    const int warp = static_cast<int>(threadIdx.x) / 32;
    if (threadIdx.x == 0) copy_pieces<Shape>(w, s, dy, x);
    if (with_bias && warp > 0 && warp <= Shape::kGroups) add_columns<Shape>(w, s, warp - 1);
  } else {
    take_registers<Shape::kGroupRegisters>();
    multiply_pieces<Shape>(w, s);
  }
}

constexpr int kPartTiles = 4;  // accumulators that a thread adds up parts of

// Grid: for each shared tile, kTiles / kPartTiles blocks of kMakers threads.
template <class Shape>
__global__ void __launch_bounds__(Shape::kMakers)
    add_parts_kernel(const __grid_constant__ WeightGradWork w) {
  constexpr int kBlocks = Shape::kTiles / kPartTiles;
  const int thread = static_cast<int>(threadIdx.x);
  const int shared = static_cast<int>(blockIdx.x) / kBlocks,
            tile = w.plan.first_shared_tile() + shared;
  const int first = static_cast<int>(blockIdx.x) % kBlocks * kPartTiles;
  float4 sums[kPartTiles] = {};
  for_slots(w.plan, shared, [&](int slot) {
    const float* const part = w.parts + slot * Shape::kPartSize + thread * 4;
#pragma unroll
    for (int n = 0; n < kPartTiles; ++n) {
      const float4 x = *reinterpret_cast<const float4*>(part + (first + n) * Shape::kMakers * 4);
      sums[n] = make_float4(sums[n].x + x.x, sums[n].y + x.y, sums[n].z + x.z, sums[n].w + x.w);
    }
  });
#pragma unroll
  for (int n = 0; n < kPartTiles; ++n)
    store_gradient<Shape>(w, tile, thread, first + n, sums[n], w.accumulate);
  const int row = tile / w.column_tiles * Shape::kRows + thread;
  const bool has_bias = w.d_bias != nullptr && first == 0 && tile % w.column_tiles == 0;
  if (!has_bias || thread >= Shape::kRows || row >= w.out) return;
  float sum = w.accumulate ? w.d_bias[row] : 0;
  for_slots(w.plan, shared, [&](int slot) { sum += w.bias_parts[slot * Shape::kRows + thread]; });
  w.d_bias[row] = sum;
}

}  // namespace bench::kernels::cuda
