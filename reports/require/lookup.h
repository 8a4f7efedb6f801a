#pragma once
// Values of a report by the paths of requirements. Private to this folder.

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "reports/schema/report.h"

namespace bench::reports {

struct Reading {
  std::string where;     // what was read: "at 4 ranks", …
  schema::Number value;  // empty: there is none, or it may not be compared
  std::string spread;    // "0.79 to 0.83 over rounds"; empty where there is none
  std::string why_not;   // where value is empty
};

// Everything the path names: one reading for each rank count of a case, else exactly one.
std::vector<Reading> look_up(const schema::Report& report, const std::vector<std::string>& path);

// The last parts of paths to a case: "time_s.median", …
std::vector<std::string> case_fields();
std::vector<std::string> efficiency_kinds();
std::vector<std::string> point_fields();  // besides efficiency
std::vector<std::string> reference_ids();

}  // namespace bench::reports
