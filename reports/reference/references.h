#pragma once
// The published figures a run is held against, and the datasheets' peaks. Both are data files
// beside this one, with source and date; their text is part of the program.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "reports/schema/report.h"

namespace bench::reports {

// Dense peak of a device in FLOP/s by its name as the driver gives it; empty for an unknown device
// or dtype.
std::optional<double> datasheet_peak_flops_per_s(std::string_view device_name,
                                                 std::string_view dtype);

// Both references of the Megatron-LM paper (arXiv 1909.08053), whatever the run holds: what was
// measured, the ratio, and whether the two may be compared; where not, why. Reads cases, training
// and scaling.
std::vector<schema::Reference> make_references(const schema::Report& report);

}  // namespace bench::reports
