#include <fmt/format.h>

#include "reports/table/grid.h"
#include "reports/table/parts.h"

namespace bench::reports {
namespace {

using schema::CaseResult;

double value_of(const CaseResult& c, const char* tag) { return c.values.at(tag).value; }

// Below this share of the step the slowest rank is chance.
constexpr double kNamedSkew = 0.02;

}  // namespace

// Shares of an instrumented step, which itself took so much longer than the timed ones.
std::string split_block(const schema::Report& report) {
  Grid grid({"where a step's time goes", ">ranks", ">compute", ">tensor", ">data", ">pipeline",
             ">bubble", ">optimizer", ">skew", ">other", ">overhead", "waited for"});
  for (const CaseResult& c : report.cases) {
    if (!c.values.contains("split.exposed_tensor") || !c.time_s) continue;
    const double step = value_of(c, "split.step");
    std::vector<std::string> row = {label_of(report, c.name, c.dtype, c.params),
                                    std::to_string(c.ranks)};
    for (const char* part : {"compute", "exposed_tensor", "exposed_data", "exposed_pipeline",
                             "bubble", "optimizer", "skew", "other"})
      row.push_back(percent_text(value_of(c, fmt::format("split.{}", part).c_str()) / step));
    row.push_back(percent_text(step / c.time_s->median - 1));
    row.push_back(value_of(c, "split.skew") > kNamedSkew * step
                      ? fmt::format("rank {}", value_of(c, "split.slowest_rank"))
                      : "");
    grid.add(row);
  }
  return grid.empty() ? "" : grid.text();
}

}  // namespace bench::reports
