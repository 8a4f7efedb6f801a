#pragma once
// What kernels for Hopper share. Tiles in shared memory are panels of 64 columns, one after the
// other; a box of the copy engine fills 64 rows of a panel, of 128 bytes each.

#include "kernels/cuda/hopper.cuh"

namespace bench::kernels::cuda {

inline constexpr int kTileAlignment = 1024;  // of tiles; the launch promises less

// Two barriers. Full: what they guard is there. Free: it is no longer read, by one word of each
// warp that reads it.
struct Guard {
  uint32_t full;
  static constexpr int kBytes = 16;

  __device__ __forceinline__ uint32_t free() const { return full + 8; }
  __device__ __forceinline__ void start(int writers, int reading_warps) const {
    init_barrier(full, writers);
    init_barrier(free(), reading_warps);
  }
  __device__ __forceinline__ void release() const {
    __syncwarp();
    if (threadIdx.x % 32 == 0) arrive(free());
  }
};

// The n-th of a succession of tiles that take turns in kStages places, and the parity of the phase
// in which it is there.
template <int kStages>
struct Turn {
  int stage;
  uint32_t parity;
  __device__ __forceinline__ explicit Turn(uint32_t n)
      : stage(static_cast<int>(n % kStages)), parity(n / kStages % 2) {}
};

// Rows of kDim columns, from [row, column] of a sequence, by boxes.
template <int kRows, int kDim>
__device__ __forceinline__ void copy_tile(uint32_t to, const TensorMap& map, uint32_t barrier,
                                          int column, int row, int sequence) {
#pragma unroll
  for (int panel = 0; panel < kDim / 64; ++panel) {
#pragma unroll
    for (int r = 0; r < kRows; r += 64)
      copy_box(to + (panel * kRows + r) * 128, map, barrier, column + panel * 64, row + r,
               sequence);
  }
}

// Operands of wgmma, step i of 16 of the sum: along rows of such a tile of kRows rows, from address
// `rows` of the first one taken; and across rows, from address `panel`.
template <int kRows>
__device__ __forceinline__ uint64_t along_rows(uint32_t rows, int i) {
  return further(describe(rows, 16, 1024), i / 4 * kRows * 128 + i % 4 * 32);
}
template <int kRows>
__device__ __forceinline__ uint64_t across_rows(uint32_t panel, int i) {
  return further(describe(panel, kRows * 128, 1024), i * 16 * 128);
}

}  // namespace bench::kernels::cuda
