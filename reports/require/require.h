#pragma once
// --require EXPR: a figure the run must reach.
//
// EXPR is PATH OP NUMBER, OP one of >= <= > < ==. Paths:
//   scaling.efficiency.{flops,parameters,time}      largest measured point of the weak curve
//   scaling.<ranks>.efficiency.{flops,parameters,time}
//   scaling.<ranks>.{step_s,tokens_per_s}
//   references.<id>.ratio
//   cases.<case name>.time_s.{median,min,mean,max,…}
//   cases.<case
//   name>.rates.{tflops_per_rank,gbytes_per_s,tokens_per_s,algbw_gbytes_per_s,busbw_gbytes_per_s}
//   cases.<case name>.of_ceiling.{gemm,copy}
//   cases.<case name>.verify.error
//   phases_s.<phase>

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "reports/schema/report.h"

namespace bench::reports {

enum class Comparison { at_least, at_most, above, below, equal };

struct Requirement {
  std::string text;               // as given
  std::vector<std::string> path;  // a case's name is one part
  Comparison comparison = Comparison::at_least;
  double number = 0;
};

// Before the run. Throws UsageError that shows the text, the place and what would be accepted.
Requirement parse_requirement(std::string_view text);

// After the run. fail: a requirement is not met or a case is wrong; no_verdict: a value is missing
// or may not be compared, or the report is incomplete; pass otherwise; not_asked without
// requirements (and nothing wrong). The reasons name the measured values.
schema::Verdict judge(const schema::Report& report, std::span<const Requirement> requirements);

}  // namespace bench::reports
