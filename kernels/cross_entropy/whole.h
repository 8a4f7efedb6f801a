#pragma once
// Whether rows are kept in the shared memory of blocks, and how.

#include <cstdint>

namespace bench::kernels::cuda {

// Of the device, in bytes.
struct SharedMemory {
  int64_t of_block, of_multiprocessor;
  int64_t reserved;  // in each block, by the system
};

struct KeptRowPlan {
  bool fits;
  int64_t bytes;  // of a row
  int blocks;     // of a multiprocessor: while one waits for its row, another computes
};

// Rows whose first `valid` elements are kept, in packs of 16 bytes; a block declares `declared`
// bytes besides.
constexpr KeptRowPlan plan_kept_row(int64_t valid, int64_t element_bytes, int64_t declared,
                                    const SharedMemory& memory) {
  const int64_t bytes = (valid * element_bytes + 15) / 16 * 16, block = bytes + declared;
  const bool two = 2 * (block + memory.reserved) <= memory.of_multiprocessor;
  return {.fits = block <= memory.of_block, .bytes = bytes, .blocks = two ? 2 : 1};
}

}  // namespace bench::kernels::cuda
