#pragma once
// Every two ranks against each other: which rank or path is slow.

#include <cstdint>
#include <string>
#include <vector>

#include "reports/schema/values.h"

namespace bench::schema {

// Messages both ways at once between two ranks, all pairs of a round together.
struct PairSize {
  int64_t bytes = 0;
  std::vector<std::vector<Number>> seconds;  // [rank][rank], symmetric; nothing on the diagonal
};

struct Pairs {
  std::vector<PairSize> sizes;
  std::string verdict;                // "none", "slow" or "unknown"
  std::vector<std::string> findings;  // what is slow, with the evidence; or why nothing is known
};

}  // namespace bench::schema
