#include "reports/reference/peaks.h"

#include <nlohmann/json.hpp>

namespace bench::embedded {
extern const char* const kPeaks;
}

namespace bench::reports {

std::optional<double> datasheet_peak_flops_per_s(std::string_view device_name,
                                                 std::string_view dtype) {
  const auto data = nlohmann::json::parse(embedded::kPeaks);
  for (const auto& row : data.at("devices"))
    for (const auto& name : row.at("names"))
      if (name.get_ref<const std::string&>() == device_name) {
        const auto& peaks = row.at("flops_per_s");
        const auto found = peaks.find(std::string(dtype));
        return found == peaks.end() ? std::nullopt : std::optional(found->get<double>());
      }
  return std::nullopt;
}

}  // namespace bench::reports
