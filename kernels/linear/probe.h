#pragma once
// Operands to try algorithms on, and whether two of them agree.

#include <cstdint>

#include "bench/base/dtype.h"
#include "bench/device/context.h"

namespace bench::kernels::cuda {

// Uniform in [-1, 1), rounded to bf16, also where they are stored as f32; the same for the same
// seed. Sums of many products of such numbers are not exact in f32: they show in which order they
// were made.
void fill_probe(const Context& context, DType dtype, int64_t size, uint32_t seed, void* values);

// *differ becomes 1 where two words of a and b do, else stays; all in device memory.
void compare_words(const Context& context, int64_t words, const uint16_t* a, const uint16_t* b,
                   int* differ);

}  // namespace bench::kernels::cuda
