#pragma once
// The machine's limits as cases: every suite measures them in its own rounds.

#include <vector>

#include "bench/sdk/plugin.h"

namespace bench::kernel_cases {

std::vector<sdk::Case> ceiling_cases(const sdk::Request& request);

}  // namespace bench::kernel_cases
