#pragma once
// --require EXPR: a figure the run must reach.
//
// EXPR is PATH OP NUMBER, OP one of >= <= > < ==. Paths; FIELD is named as in the report:
//   scaling.FIELD         weak curve, the point with the most ranks: efficiency.*, step_s,
//                         tokens_per_s, tflops_per_rank.*, peak_fraction.*
//   scaling.RANKS.FIELD   the point with that many ranks
//   references.ID.ratio
//   cases.NAME.FIELD      time_s.*, ranks_time_s.skew_median, rates.*, of_ceiling.*, roofline.*,
//                         flanked.*, verify.error; every case of that name must meet it
//   comparisons.NAME.VARIANT.FIELD   ratio.median, ratio.low, ratio.high, time_s; every comparison
//                         of that name must meet it
//   closure.FIELD         kernels_fraction, kernels_s, remainder_s, step_s; every closure must
//   phases_s.PHASE

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "reports/schema/report.h"

namespace bench::reports {

enum class Comparison { at_least, at_most, above, below, equal };

struct Requirement {
  enum class Of { largest_point, point, reference, cases, phase, comparisons, closure };
  std::string text;  // as given
  Of of = Of::largest_point;
  std::string name;   // of the reference or the case; "NAME.VARIANT" of a comparison
  int ranks = 0;      // of the point
  std::string field;  // below it: "efficiency.flops", "ratio", "time_s.median", "wall"
  Comparison comparison = Comparison::at_least;
  double number = 0;
};

// Before the run. Throws UsageError that shows the text and what would be accepted.
Requirement parse_requirement(std::string_view text);

// Before the run, once the plan is made: throws UsageError where a requirement names a case that
// will not run, or compares variants of one.
void check_case_names(std::span<const Requirement> requirements,
                      std::span<const std::string> planned_names);

// After the run. fail: a case is wrong; else no_verdict: the report is incomplete, or a case failed
// or timed out; else fail: a requirement is not met; else no_verdict: a value is missing or not
// comparable; else pass, or not_asked without requirements. The reasons name the measured values.
schema::Verdict judge(const schema::Report& report, std::span<const Requirement> requirements);

}  // namespace bench::reports
