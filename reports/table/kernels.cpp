#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "reports/schema/outcome.h"
#include "reports/table/grid.h"
#include "reports/table/parts.h"

namespace bench::reports {
namespace {

using schema::Closure;
using schema::ClosurePart;
using schema::Number;
using schema::Report;

constexpr const char* kRemainder =
    "remainder: calls between these kernels, tokens in and loss out, communication; less what is "
    "faster in the step than alone\n";

void add_variants(const schema::Comparison& comparison, const Report& report, Grid& grid) {
  std::string label = label_of(report, comparison.name, comparison.dtype, comparison.params);
  for (const schema::ComparedVariant& v : comparison.variants) {
    std::string ratio = "-", range = "-";
    if (v.ratio) {
      ratio = fmt::format("{:.3f}", v.ratio->median);
      range = fmt::format("{:.3f}-{:.3f}", v.ratio->low, v.ratio->high);
    }
    const bool measured = v.outcome == schema::Outcome::measured;
    grid.add({label, v.variant, v.time_s ? seconds_text(*v.time_s) : "-", ratio, range,
              measured ? "" : std::string(name_of(v.outcome))});
    label.clear();
  }
}

std::vector<ClosurePart> by_total(std::vector<ClosurePart> parts) {
  std::stable_sort(parts.begin(), parts.end(), [](const auto& a, const auto& b) {
    return a.total_s.value_or(0) > b.total_s.value_or(0);
  });
  return parts;
}

std::string seconds_or_dash(const Number& seconds) {
  return seconds ? seconds_text(*seconds) : "-";
}

std::string closure_text(const Closure& c, const Report& report) {
  Grid grid({"kernel", ">a step", ">median", ">total", ">of step"});
  for (const ClosurePart& part : by_total(c.parts))
    grid.add({label_of(report, part.case_name, c.dtype, part.params),
              fmt::format("{:.4g}", part.per_step), seconds_or_dash(part.time_s),
              seconds_or_dash(part.total_s), percent_text(part.fraction)});
  const Number rest = c.kernels_fraction ? Number(1 - *c.kernels_fraction) : Number();
  grid.add({"all these kernels", "", "", seconds_or_dash(c.kernels_s),
            percent_text(c.kernels_fraction)});
  grid.add({"remainder", "", "", seconds_or_dash(c.remainder_s), percent_text(rest)});
  std::string out = fmt::format("closure of {}, {}: a step of {}", c.case_name, c.dtype,
                                seconds_or_dash(c.step_s));
  if (c.kernels_fraction)
    out += fmt::format(", {} ({:.1f}-{:.1f}) of it in these kernels as timed alone",
                       percent_text(c.kernels_fraction), c.kernels_fraction_over_rounds.low * 100,
                       c.kernels_fraction_over_rounds.high * 100);
  out += fmt::format("\n{}  {}", grid.text(), kRemainder);
  if (!c.missing.empty())
    out += fmt::format("  WARNING: without a time, so part of the remainder: {}\n",
                       fmt::join(c.missing, ", "));
  return out;
}

}  // namespace

std::string comparisons_block(const Report& report) {
  Grid grid({"variants of one op", "variant", ">median", ">ratio", ">over rounds", ""});
  for (const schema::Comparison& comparison : report.comparisons)
    add_variants(comparison, report, grid);
  if (grid.empty()) return "";
  return "ratio: time of the first variant over the variant's own, in the same rounds; above 1 is "
         "faster than the first\n" +
         grid.text();
}

std::string closure_block(const Report& report) {
  std::string out;
  for (const Closure& closure : report.closure)
    out += (out.empty() ? "" : "\n") + closure_text(closure, report);
  return out;
}

}  // namespace bench::reports
