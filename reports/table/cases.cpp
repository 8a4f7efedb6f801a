#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "reports/derive/step_model.h"
#include "reports/schema/outcome.h"
#include "reports/table/grid.h"
#include "reports/table/parts.h"

namespace bench::reports {
namespace {

using schema::CaseResult;
using schema::Number;
using schema::Report;

std::string value_text(const schema::ParamValue& value) {
  if (const auto* number = std::get_if<double>(&value)) return fmt::format("{}", *number);
  if (const auto* flag = std::get_if<bool>(&value)) return *flag ? "yes" : "no";
  return std::get<std::string>(value);
}

// The name, and of its parameters those that tell it from the other cases of that name.
std::string label_of(const CaseResult& c, const Report& report) {
  std::set<std::string> differing;
  for (const CaseResult& other : report.cases) {
    if (other.name != c.name) continue;
    for (const auto& [key, value] : c.params) {
      const auto found = other.params.find(key);
      if (found == other.params.end() || found->second != value) differing.insert(key);
    }
  }
  std::string label = c.name;
  for (const std::string& key : differing)
    label += fmt::format(" {}={}", key, value_text(c.params.at(key)));
  return label;
}

struct Rate {
  std::string text = "-";
  Number of_ceiling;
};

// The rate that says most: where a case has FLOPs and bytes, the one nearer to its ceiling.
Rate rate_of(const CaseResult& c) {
  const schema::Rates& r = c.rates;
  if (r.busbw_gbytes_per_s) return {fmt::format("{:.4g} GB/s bus", *r.busbw_gbytes_per_s), {}};
  const bool by_bytes = r.gbytes_per_s && (!r.tflops_per_rank || c.of_ceiling.copy.value_or(0) >
                                                                     c.of_ceiling.gemm.value_or(0));
  if (by_bytes) return {fmt::format("{:.4g} GB/s", *r.gbytes_per_s), c.of_ceiling.copy};
  if (r.tflops_per_rank)
    return {fmt::format("{:.4g} TFLOP/s", *r.tflops_per_rank), c.of_ceiling.gemm};
  if (r.tokens_per_s) return {fmt::format("{:.4g} tokens/s, all", *r.tokens_per_s), {}};
  return {};
}

std::string half_width_text(const schema::TimeSummary& t) {
  if (!(t.median > 0)) return "-";
  return fmt::format("{:.1f} %", (t.ci95.high - t.ci95.low) / 2 / t.median * 100);
}

std::string outcome_text(const CaseResult& c) {
  std::string text(name_of(c.outcome));
  if (!c.reason.empty()) text += ": " + c.reason;
  for (const std::string& flag : c.flags) text += fmt::format(" [{}]", flag);
  return text;
}

void add_case(const CaseResult& c, const Report& report, Grid& grid) {
  std::vector<std::string> cells = {label_of(c, report), std::to_string(c.ranks)};
  if (c.time_s) {
    const Rate rate = rate_of(c);
    cells.insert(cells.end(),
                 {seconds_text(c.time_s->median), half_width_text(*c.time_s),
                  std::to_string(c.time_s->n), rate.text, percent_text(rate.of_ceiling)});
  } else {
    cells.insert(cells.end(), 5, "-");
  }
  cells.insert(cells.end(), {c.verify.status, outcome_text(c)});
  grid.add(std::move(cells));
}

std::string losses_text(const std::vector<double>& losses) {
  if (losses.empty()) return "-";
  return fmt::format("{:.5g} -> {:.5g}", losses.front(), losses.back());
}

}  // namespace

std::string cases_block(const Report& report) {
  Grid grid({"case", ">ranks", ">median", ">±95 %", ">n", ">rate of a rank", ">of ceiling", "check",
             "outcome"});
  for (const CaseResult& c : report.cases)
    if (c.ceiling.empty() || c.outcome != schema::Outcome::measured) add_case(c, report, grid);
  return grid.empty() ? "" : grid.text();
}

std::string ceilings_block(const Report& report) {
  Grid grid({"ceilings of this run", ">ranks at work", ">best GEMM of a rank",
             ">best stream of a rank", ""});
  for (const schema::Ceiling& c : report.ceilings) {
    if (c.rank != 0) continue;
    const auto text = [](const Number& rate, const char* unit) {
      return rate ? rate_text(*rate, unit) : std::string("-");
    };
    grid.add({c.dtype, std::to_string(c.active_ranks), text(c.gemm_flops_per_s, "FLOP/s"),
              text(c.copy_bytes_per_s, "B/s"), c.unsteady ? "UNSTEADY" : ""});
  }
  return grid.empty() ? "" : grid.text();
}

std::string training_block(const Report& report) {
  Grid grid({"training", ">ranks", "model", ">parameters", ">steps", "loss first -> last"});
  for (const schema::TrainingRun& t : report.training)
    grid.add({t.case_name, std::to_string(t.ranks), t.model_name, std::to_string(t.parameters),
              std::to_string(t.losses.size()), losses_text(t.losses)});
  return grid.empty() ? "" : grid.text();
}

}  // namespace bench::reports
