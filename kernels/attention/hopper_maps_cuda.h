#pragma once
// What the copy engine of Hopper wants to know of a tensor.

#include <cuda.h>

#include <cstdint>

namespace bench::kernels::cuda {

// Throws EnvironmentError unless the current device has compute capability 9.0, UsageError unless
// the kernels are made for heads of this size.
void require_hopper(int64_t d);

// bfloat16 [sequences, rows, columns] in device memory, 16-byte aligned as its rows are; boxes of
// 64 rows by 64 columns of one sequence, with zeros behind its end, swizzled by 128 bytes. Throws
// EnvironmentError where the driver refuses.
CUtensorMap box_map(const void* memory, int64_t columns, int64_t rows, int64_t sequences);

}  // namespace bench::kernels::cuda
