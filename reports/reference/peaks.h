#pragma once
// The datasheets' peaks: a data file beside this one, with sources and dates, whose text is part of
// the program.

#include <optional>
#include <string_view>

namespace bench::reports {

// Dense peak of a device in FLOP/s by its name as the driver gives it; empty for an unknown device
// or dtype.
std::optional<double> datasheet_peak_flops_per_s(std::string_view device_name,
                                                 std::string_view dtype);

}  // namespace bench::reports
