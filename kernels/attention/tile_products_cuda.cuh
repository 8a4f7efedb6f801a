#pragma once
// Products of bfloat16 tiles in shared memory by the tensor cores, sums in float, and how the tiles
// get there.

#include <cstddef>
#include <cstdint>

#include "kernels/attention/tiles.h"
#include "kernels/cuda/tensor_core.cuh"

namespace bench::kernels::cuda {

// What a warp holds of a product of 16 kM rows and 8 kN columns (tiles::accumulator_place).
template <int kM, int kN>
using Accumulators = float[kM][kN][4];

template <int kM, int kN>
__device__ __forceinline__ void clear(Accumulators<kM, kN>& c) {
#pragma unroll
  for (int m = 0; m < kM; ++m) {
#pragma unroll
    for (int n = 0; n < kN; ++n) {
#pragma unroll
      for (int i = 0; i < 4; ++i) c[m][n][i] = 0;
    }
  }
}

// Where a lane points ldmatrix at in a swizzled tile with rows of kChunks pieces.
template <int kChunks>
class LanePointer {
 public:
  __device__ __forceinline__ LanePointer(uint32_t tile, tiles::LanePlace lane)
      : rows_(tile + lane.row * kChunks * 16),
        chunk_(lane.chunk),
        exchange_(tiles::swizzled<kChunks>(lane.row, 0)) {}

  // Rows from `row`, a multiple of 8, and pieces from `chunk`.
  __device__ __forceinline__ uint32_t at(int row, int chunk) const {
    return rows_ + row * kChunks * 16 + ((chunk + chunk_) ^ exchange_) * 16;
  }

 private:
  uint32_t rows_;
  int chunk_, exchange_;
};

// c += a · b over 16 kK elements. load_a(k, m, to[4]) and load_b(k, n, to[4]) bring the operands of
// step k: of rows 16 m to 16 m + 15, and of columns 8 n to 8 n + 15 or, into to[2], the last eight.
// kUnroll steps are one piece of code: with more of them, loads are started earlier and take more
// registers.
template <int kK, int kUnroll, int kM, int kN, class LoadA, class LoadB>
__device__ __forceinline__ void multiply(Accumulators<kM, kN>& c, const LoadA& load_a,
                                         const LoadB& load_b) {
#pragma unroll kUnroll
  for (int k = 0; k < kK; ++k) {
    uint32_t a[kM][4];
#pragma unroll
    for (int m = 0; m < kM; ++m) load_a(k, m, a[m]);
#pragma unroll
    for (int n = 0; n + 1 < kN; n += 2) {
      uint32_t b[4];
      load_b(k, n, b);
#pragma unroll
      for (int m = 0; m < kM; ++m) {
        multiply_add(c[m][n], a[m], b[0], b[1]);
        multiply_add(c[m][n + 1], a[m], b[2], b[3]);
      }
    }
    if constexpr (kN % 2 == 1) {
      uint32_t b[2];
      load_b(k, kN - 1, b);
#pragma unroll
      for (int m = 0; m < kM; ++m) multiply_add(c[m][kN - 1], a[m], b[0], b[1]);
    }
  }
}

// c[i, j] += sum over d of a[i, d] b[j, d], from tiles with rows of d: a's from `a_row`, b's from
// `b_row`, both multiples of 8.
template <int kChunks, int kUnroll, int kM, int kN>
__device__ __forceinline__ void multiply_rows(Accumulators<kM, kN>& c, uint32_t a, int a_row,
                                              uint32_t b, int b_row) {
  const int lane = threadIdx.x % 32;
  const LanePointer<kChunks> a_at(a + a_row * kChunks * 16, tiles::down_first(lane));
  const LanePointer<kChunks> b_at(b + b_row * kChunks * 16, tiles::along_first(lane));
  multiply<kChunks / 2, kUnroll>(
      c, [&](int k, int m, auto& to) { load_matrices(to, a_at.at(16 * m, 2 * k)); },
      [&](int k, int n, auto& to) { load_matrices(to, b_at.at(8 * n, 2 * k)); });
}

// One 16-bit element after another, where rows are not aligned; `from` may be past the end where
// count is 0 or less.
__device__ __forceinline__ uint4 gather_chunk(const uint16_t* from, int count) {
  uint32_t words[4];
#pragma unroll
  for (int i = 0; i < 4; ++i) {
    const uint32_t low = 2 * i < count ? from[2 * i] : 0;
    const uint32_t high = 2 * i + 1 < count ? from[2 * i + 1] : 0;
    words[i] = low | high << 16;
  }
  return {words[0], words[1], words[2], words[3]};
}

// The first `count` elements of a piece, at once where the address allows.
template <bool kAligned>
__device__ __forceinline__ void store_chunk(uint4 chunk, uint16_t* to, int count) {
  if constexpr (kAligned) {
    *reinterpret_cast<uint4*>(to) = chunk;
  } else {
    const uint32_t words[4] = {chunk.x, chunk.y, chunk.z, chunk.w};
#pragma unroll
    for (int i = 0; i < 8; ++i) {
      if (i < count) to[i] = static_cast<uint16_t>(words[i / 2] >> (i % 2 * 16));
    }
  }
}

// A matrix of bfloat16 in global memory: rows of `d` elements, `step` apart, `end` of them.
struct GlobalRows {
  const uint16_t* memory;
  int64_t step;
  int end, d;
};

// Rows first to first + kRows - 1 into a tile; zeros past the end and past d. kAligned: d is a
// multiple of 8 and rows begin at multiples of 16 bytes; what is copied then is there after
// wait_for_copies and a barrier, otherwise after a barrier. Side by side in a row are as many
// threads as swizzling exchanges pieces, so that all offsets of a thread differ by constants.
// kTiles: so many tiles one after the other, of columns from 0, d, 2 d, ...
template <int kRows, int kChunks, int kThreads, bool kAligned, int kTiles = 1>
__device__ __forceinline__ void load_tile(std::byte* tile, const GlobalRows& from, int first) {
  constexpr int kWidth = tiles::swizzled_width<kChunks>(), kHeight = kThreads / kWidth;
  static_assert(kRows % kHeight == 0 && kHeight % 8 == 0);
  const int row = static_cast<int>(threadIdx.x) / kWidth, chunk = threadIdx.x % kWidth;
  const int offset = tiles::chunk_offset<kChunks>(row, chunk);
  const uint16_t* source = from.memory + (first + row) * from.step + chunk * 8;
  const int rows = from.end - first - row, columns = from.d - chunk * 8;
#pragma unroll
  for (int r = 0; r < kRows; r += kHeight) {
#pragma unroll
    for (int c = 0; c < kChunks; c += kWidth) {
      const int count = r < rows ? columns - c * 8 : 0;
#pragma unroll
      for (int i = 0; i < kTiles; ++i) {
        const int to = offset + ((i * kRows + r) * kChunks + c) * 16;
        const uint16_t* const piece = source + i * from.d + c * 8;
        if constexpr (kAligned) {
          copy_async_16(shared_address(tile) + to, piece, count > 0);
        } else {
          *reinterpret_cast<uint4*>(tile + to) = gather_chunk(piece, count);
        }
      }
    }
    source += kHeight * from.step;
  }
}

// A warp's accumulators times factors[m][row half], rounded, to rows `row` and on of a tile,
// from piece `chunk` on.
template <int kChunks, int kM, int kN>
__device__ __forceinline__ void narrow_to_tile(const Accumulators<kM, kN>& c,
                                               const float (&factors)[kM][2], std::byte* tile,
                                               int row, int chunk) {
  const tiles::Place place = tiles::accumulator_place(threadIdx.x % 32, 0);
#pragma unroll
  for (int m = 0; m < kM; ++m) {
#pragma unroll
    for (int half = 0; half < 2; ++half) {
#pragma unroll
      for (int n = 0; n < kN; ++n) {
        const int offset =
            tiles::chunk_offset<kChunks>(row + 16 * m + 8 * half + place.row, chunk + n);
        *reinterpret_cast<uint32_t*>(tile + offset + place.column * 2) = bf16_pair(
            c[m][n][2 * half] * factors[m][half], c[m][n][2 * half + 1] * factors[m][half]);
      }
    }
  }
}

// Rows of a tile, `count` of them from `row` on, by `threads` threads of which this is `thread`, to
// rows of global memory from first + row on; as load_tile in all else.
template <int kChunks, bool kAligned>
__device__ __forceinline__ void store_tile(const std::byte* tile, int row, int count, uint16_t* to,
                                           const GlobalRows& shape, int first, int thread,
                                           int threads) {
  for (int piece = thread; piece < count * kChunks; piece += threads) {
    const int r = row + piece / kChunks, chunk = piece % kChunks;
    const int valid = shape.d - chunk * 8;
    if (first + r >= shape.end || valid <= 0) continue;
    const uint4 value =
        *reinterpret_cast<const uint4*>(tile + tiles::chunk_offset<kChunks>(r, chunk));
    store_chunk<kAligned>(value, to + (first + r) * shape.step + chunk * 8, valid);
  }
}

}  // namespace bench::kernels::cuda
