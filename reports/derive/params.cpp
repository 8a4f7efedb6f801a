#include "reports/derive/params.h"

namespace bench::reports {
namespace {

template <class T>
const T* param(const schema::CaseResult& result, const char* name) {
  const auto found = result.params.find(name);
  return found == result.params.end() ? nullptr : std::get_if<T>(&found->second);
}

}  // namespace

std::string text_param(const schema::CaseResult& result, const char* name) {
  const auto* text = param<std::string>(result, name);
  return text == nullptr ? "" : *text;
}

schema::Number number_param(const schema::CaseResult& result, const char* name) {
  const auto* number = param<double>(result, name);
  return number == nullptr ? schema::Number() : *number;
}

std::string variant_of(const schema::CaseResult& result) {
  const std::string variant = text_param(result, "variant");
  return variant.empty() ? "default" : variant;
}

bool is_cold(const schema::CaseResult& result) { return text_param(result, "mode") == "cold"; }

schema::Params params_without(const schema::Params& params,
                              std::span<const std::string_view> left_out) {
  schema::Params kept = params;
  for (const std::string_view name : left_out) kept.erase(std::string(name));
  return kept;
}

}  // namespace bench::reports
