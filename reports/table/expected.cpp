#include <fmt/format.h>

#include "reports/table/grid.h"
#include "reports/table/parts.h"

namespace bench::reports {

std::string expected_block(const schema::Report& report) {
  if (report.expected.empty()) return "";
  const schema::Expected& e = report.expected.front();
  std::string out = "expected of all-reduces, from this run's own messages and reductions:";
  for (const schema::FittedLink& link : e.links)
    out += fmt::format(" {}-host alpha {}, 1/beta {} ({} pair{});", link.kind,
                       seconds_text(link.alpha_s),
                       link.beta_s_per_byte > 0 ? rate_text(1 / link.beta_s_per_byte, "B/s") : "-",
                       link.pairs, link.pairs == 1 ? "" : "s");
  out += fmt::format(" 1/gamma {}\n", rate_text(1 / e.gamma_s_per_byte, "B/s"));
  Grid grid({"all-reduce", "variant", ">measured", ">expected", ">ratio", "by the formula of"});
  for (const schema::ExpectedTime& t : e.all_reduces)
    grid.add({fmt::format("{} bytes", t.bytes), t.variant, seconds_text(t.measured_s),
              seconds_text(t.expected_s), fmt::format("{:.2f}", t.ratio), t.algorithm});
  Grid best({"all-reduce", "fastest", ">its time", "the first", ">times as long"});
  for (const schema::BestVariant& b : e.best)
    best.add({fmt::format("{} bytes", b.bytes), b.best, seconds_text(b.best_s), b.first,
              fmt::format("{:.2f}", b.first_over_best)});
  return out + grid.text() + "\n" + best.text();
}

}  // namespace bench::reports
