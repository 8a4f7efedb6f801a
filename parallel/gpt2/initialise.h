#pragma once
// Seeded initial weights, N(0, 0.02), residual-output weights / sqrt(2 layers) (Radford 2019). A
// value depends on the seed, the tensor and the element's place in the full tensor alone: a shard
// holds exactly the values of the full tensor, whatever the layout.

#include <cstdint>
#include <span>

#include "parallel/gpt2/parameters.h"

namespace bench::gpt2 {

// Standard normal numbers of elements [first, first + out.size()) of tensor `index`.
void normal_numbers(uint64_t seed, uint64_t index, int64_t first, std::span<float> out);

// This rank's part of a parameter, [rows, cols]; padded vocabulary rows are zero.
void initial_values(const Parameter& p, uint64_t seed, int64_t layers, int threads,
                    std::span<float> out);

}  // namespace bench::gpt2
