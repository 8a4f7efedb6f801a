#pragma once
// The machine's limits as cases: every suite measures them in its own rounds.

#include <cstdint>
#include <vector>

#include "bench/sdk/plugin.h"

namespace bench::kernel_cases {

std::vector<sdk::Case> ceiling_cases(const sdk::Request& request);

// Its part in pattern_cases.cpp: streams with the traffic of an op, arrays of `size` elements each;
// exponentials and random numbers, `numbers` of them an iteration.
std::vector<sdk::Case> pattern_ceilings(int64_t size, uint64_t seed);

}  // namespace bench::kernel_cases
