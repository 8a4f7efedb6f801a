#pragma once
// What a report must keep and a JSON Schema cannot say. Private to this folder.

#include <nlohmann/json.hpp>
#include <vector>

#include "reports/schema/validate.h"

namespace bench::schema {

// Expects a report that fits the JSON Schema.
std::vector<Violation> semantic_violations(const nlohmann::json& report);

}  // namespace bench::schema
