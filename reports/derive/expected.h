#pragma once
// Expected times of all-reduces: alpha, beta and gamma fitted to the run's own pairs of ranks and
// reductions, and the published cost formulas.

#include <vector>

#include "reports/schema/report.h"

namespace bench::reports {

// Of one tier; what formulas take.
struct CostModel {
  double alpha_s = 0, beta_s_per_byte = 0, gamma_s_per_byte = 0;
};

// Seconds of an all-reduce of n bytes over p ranks (Thakur, Rabenseifner, Gropp 2005). Throws
// std::invalid_argument for a name it has no formula for.
double formula_s(const std::string& algorithm, int p, double n, const CostModel& cost);

// The algorithms that have a formula, which needs no hosts.
const std::vector<std::string>& algorithms_with_formula();

// Nothing where the run measured no pairs of at least two sizes, or no reduction.
std::vector<schema::Expected> derive_expected(const schema::Report& report);

}  // namespace bench::reports
