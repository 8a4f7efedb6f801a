#pragma once
// Every two ranks against each other, in rounds of disjoint pairs.

#include <utility>
#include <vector>

#include "bench/sdk/plugin.h"

namespace bench::collectives {

// A round-robin tournament by the circle method: all pairs once, in n - 1 rounds, or n where n is
// odd and one rank sits out in each.
std::vector<std::vector<std::pair<int, int>>> tournament(int ranks);

// The pairs of one round exchange so many bytes, both ways at once; each rank's own time says how
// fast its pair was.
sdk::Case pairs_case(const std::vector<std::pair<int, int>>& pairs, int round, int64_t bytes);

// Adding a vector of so many bytes to another in memory, which is what a reduction does between its
// messages.
sdk::Case reduce_case(int64_t bytes);

}  // namespace bench::collectives
