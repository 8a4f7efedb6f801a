#pragma once
// Everything a report says beyond what was measured: rates, ceilings, fractions, comparisons of
// variants, closure of the step, scaling, references.

#include <span>

#include "reports/schema/report.h"

namespace bench::reports {

// Fills rates, of_ceiling, roofline, ceilings, comparisons, closure, scaling, scaling_more and
// references from cases and training.
// May be called again on the same report, also on an incomplete one.
void finish(schema::Report& report, std::span<const schema::ScalingPlan> plans);

}  // namespace bench::reports
