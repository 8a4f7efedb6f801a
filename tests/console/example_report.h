#pragma once
// A small report with invented round numbers, as two ranks on CPUs would give it.

#include "reports/schema/report.h"

namespace bench::test {

// Measured with `ranks` ranks in three rounds; `seconds` is the median.
schema::CaseResult measured_case(const std::string& name, int ranks, double seconds);

schema::CaseResult case_without_time(const std::string& name, int ranks, schema::Outcome outcome,
                                     const std::string& reason);

// Ceilings, a kernel, two variants of another, a collective, a skipped case, one training run with
// its closure and the weak curve of 1 and 2 ranks, complete.
schema::Report example_report();

}  // namespace bench::test
