#pragma once
// The small types that the report's parts are made of.

#include <map>
#include <optional>
#include <string>
#include <variant>

namespace bench::schema {

using Number = std::optional<double>;  // empty or non-finite: null in JSON
using ParamValue = std::variant<std::string, double, bool>;
using Params = std::map<std::string, ParamValue>;

enum class Outcome { measured, skipped, wrong, failed, timeout };

struct Interval {
  double low = 0, high = 0;
};

}  // namespace bench::schema
