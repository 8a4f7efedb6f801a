#pragma once
// What a case's parameters say.

#include <span>
#include <string>
#include <string_view>

#include "reports/schema/report.h"

namespace bench::reports {

std::string text_param(const schema::CaseResult& result, const char* name);  // "" without it
schema::Number number_param(const schema::CaseResult& result, const char* name);

// Which implementation; "default" where the case does not say.
std::string variant_of(const schema::CaseResult& result);

bool is_cold(const schema::CaseResult& result);  // caches emptied before each iteration

// All parameters but these.
schema::Params params_without(const schema::Params& params,
                              std::span<const std::string_view> left_out);

}  // namespace bench::reports
