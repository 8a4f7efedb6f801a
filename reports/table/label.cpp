#include <fmt/format.h>

#include <set>

#include "reports/table/parts.h"

namespace bench::reports {
namespace {

std::string value_text(const schema::ParamValue& value) {
  if (const auto* number = std::get_if<double>(&value)) return fmt::format("{}", *number);
  if (const auto* flag = std::get_if<bool>(&value)) return *flag ? "yes" : "no";
  return std::get<std::string>(value);
}

}  // namespace

std::string label_of(const schema::Report& report, const std::string& name,
                     const std::string& dtype, const schema::Params& params) {
  std::set<std::string> differing;
  bool dtypes_differ = false;
  for (const schema::CaseResult& other : report.cases) {
    if (other.name != name) continue;
    dtypes_differ |= other.dtype != dtype;
    for (const auto& [key, value] : params) {
      const auto found = other.params.find(key);
      if (found == other.params.end() || found->second != value) differing.insert(key);
    }
  }
  differing.erase("per_step");  // follows from the others
  differing.erase("comm");      // follows from the ranks, which a table tells anyway
  std::string label = name;
  if (dtypes_differ) label += fmt::format(" dtype={}", dtype);
  for (const std::string& key : differing)
    label += fmt::format(" {}={}", key, value_text(params.at(key)));
  return label;
}

}  // namespace bench::reports
