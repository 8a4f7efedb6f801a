#pragma once
// Variants of one op that ran in the same rounds, against each other.

#include <vector>

#include "reports/schema/report.h"

namespace bench::reports {

// One for every set of cases that differ in nothing but the parameter `variant` (and in what they
// declare of themselves), in the plan's order.
std::vector<schema::Comparison> derive_comparisons(const schema::Report& report);

}  // namespace bench::reports
