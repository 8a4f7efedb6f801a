#include "reports/table/table.h"

#include <fmt/format.h>

#include <algorithm>

#include "reports/table/grid.h"
#include "reports/table/parts.h"

namespace bench::reports {

using schema::Report;

std::string warnings_block(const Report& report) {
  std::string out;
  if (!report.run.complete)
    out += "WARNING: the run is incomplete; what is missing below was not measured\n";
  if (report.environment.oversubscribed)
    out +=
        "WARNING: oversubscribed: more ranks than cores; the times say little about this machine\n";
  if (std::any_of(report.ceilings.begin(), report.ceilings.end(),
                  [](const auto& c) { return c.unsteady; }))
    out += "WARNING: unsteady: this machine's ceilings moved by more than 10 % between rounds\n";
  for (const std::string& note : report.run.notes) out += fmt::format("note: {}\n", note);
  return out;
}

std::string references_block(const Report& report) {
  if (report.references.empty()) return "";
  Grid grid({"published figure", ">published", ">measured", ">ratio", "formula"});
  std::string notes;
  for (const schema::Reference& r : report.references) {
    grid.add({r.id, number_text(r.value), number_text(r.measured), number_text(r.ratio, 3),
              fmt::format("{} ({})", r.formula, r.unit)});
    if (r.peak_measured)
      notes +=
          fmt::format("  {}: {} of peak published, {} of the {} here\n", r.id,
                      percent_text(r.peak_reference), percent_text(r.peak_measured), r.peak_of);
    if (!r.comparable) notes += fmt::format("  {}: NOT comparable: {}\n", r.id, r.why_not);
  }
  return grid.text() + notes;
}

std::string verdict_block(const Report& report) {
  if (report.verdict.state == "not_asked") return "";
  std::string out = fmt::format("verdict: {}\n", report.verdict.state);
  for (const std::string& reason : report.verdict.reasons) out += fmt::format("  {}\n", reason);
  return out;
}

std::string console_table(const Report& report) {
  std::string out = fmt::format(
      "bench {}, suite {}, {} rank{} on {}, run {}\n", report.run.bench_version, report.run.suite,
      report.environment.ranks.size(), report.environment.ranks.size() == 1 ? "" : "s",
      report.environment.device_ran, report.run.id);
  if (!report.environment.device_reason.empty())
    out += fmt::format("device: {}\n", report.environment.device_reason);
  for (const auto block :
       {warnings_block, ceilings_block, cases_block, comparisons_block, training_block,
        evaluation_block, split_block, closure_block, scaling_block, expected_block, pairs_block,
        simulated_block, references_block, verdict_block})
    if (const std::string text = block(report); !text.empty()) out += "\n" + text;
  return out;
}

}  // namespace bench::reports
