#pragma once
// Sorting of numbers in device memory.

#include <cstddef>
#include <cstdint>

#include "bench/device/context.h"

namespace bench::kernels::cuda {

// `size` keys of `bits` bits in ascending order, each with a value; equal keys stay in the order in
// which they came.
struct KeySort {
  int32_t size;
  int bits;
  const uint32_t* keys;     // [size]
  const uint32_t* values;   // [size]
  uint32_t* sorted_keys;    // [size]
  uint32_t* sorted_values;  // [size]
};

// Of scratch memory, which sort_keys wants; depends on size and bits alone.
size_t sort_work_bytes(const KeySort& sort);

// `work`: a multiple of 256.
void sort_keys(const Context& context, const KeySort& sort, std::byte* work, size_t work_bytes);

}  // namespace bench::kernels::cuda
