#pragma once
// One collective at one size, with data whose sums are exact in any order and tell rank and index.

#include <cstdint>

#include "bench/sdk/plugin.h"

namespace bench::collectives {

enum class Operation { all_reduce, reduce_scatter, all_gather, broadcast };

// `bytes` is S of nccl-tests: the vector of an all-reduce or broadcast, the total over ranks of the
// other two.
sdk::Case collective_case(Operation operation, int64_t bytes, int ranks);

}  // namespace bench::collectives
