#pragma once
// What the copy engine of Hopper wants to know of a tensor.

#include <cuda.h>

#include <cstdint>
#include <utility>

namespace bench::kernels::cuda {

// Major and minor, of the one device that this process drives.
std::pair<int, int> compute_capability();

// Throws EnvironmentError unless that is 9.0. `variant` and `other`: as a person names what was
// asked for, and what to take.
void require_hopper(const char* variant, const char* other);

// bfloat16 [sequences, rows, columns] in device memory, 16-byte aligned as its rows are; boxes of
// 64 rows by 64 columns of one sequence, with zeros behind its end, swizzled by 128 bytes. Throws
// EnvironmentError where the driver refuses.
CUtensorMap box_map(const void* memory, int64_t columns, int64_t rows, int64_t sequences);

}  // namespace bench::kernels::cuda
