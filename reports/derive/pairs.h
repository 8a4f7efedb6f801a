#pragma once
// From the cases that time pairs of ranks to a matrix, and from the matrix to what is slow.

#include <optional>
#include <string>
#include <vector>

#include "reports/schema/report.h"

namespace bench::reports {

// The matrices of all sizes and their verdict; nothing where no pairs were measured.
std::vector<schema::Pairs> derive_pairs(const schema::Report& report);

// Pairs are held against what is usual for their kind: inside a host, or between hosts.
constexpr double kSlowPair = 2;
// A rank, or a path between two hosts, is slow where at least this share of its pairs is.
constexpr double kShareOfPairs = 2.0 / 3;

// What is slow in a matrix of seconds, in words: "rank 3 on host b is slow (7 of 7 partners …)",
// "the path between hosts a and b is slow", "the path between rank 1 and rank 4 is slow". Largest
// causes first; what one explains is not named again. `hosts`: by rank.
std::vector<std::string> slow_in(const std::vector<std::vector<schema::Number>>& seconds,
                                 const std::vector<std::string>& hosts);

}  // namespace bench::reports
