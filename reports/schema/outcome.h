#pragma once
// The words for outcomes, as they stand in a report.

#include <array>
#include <optional>
#include <string_view>

#include "reports/schema/report.h"

namespace bench::schema {

inline constexpr std::array<std::string_view, 5> kOutcomeNames = {"measured", "skipped", "wrong",
                                                                  "failed", "timeout"};

constexpr std::string_view name_of(Outcome outcome) {
  return kOutcomeNames[static_cast<size_t>(outcome)];
}

constexpr std::optional<Outcome> outcome_by_name(std::string_view name) {
  for (size_t i = 0; i < kOutcomeNames.size(); ++i)
    if (kOutcomeNames[i] == name) return static_cast<Outcome>(i);
  return std::nullopt;
}

}  // namespace bench::schema
