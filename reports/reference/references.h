#pragma once
// The published figures a run is held against, and the datasheets' peaks. Both are data files
// beside this one, with source and date; their text is part of the program.

#include <vector>

#include "reports/schema/report.h"

namespace bench::reports {

// Both references of the Megatron-LM paper (arXiv 1909.08053), whatever the run holds: what was
// measured, the ratio, and whether the two may be compared; where not, why. Reads cases, training
// and scaling.
std::vector<schema::Reference> make_references(const schema::Report& report);

// The point of the weak curve with the most ranks, measured or not; nullptr without a curve.
const schema::ScalingPoint* largest_point(const schema::Report& report);

}  // namespace bench::reports
