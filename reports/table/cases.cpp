#include <fmt/format.h>

#include <algorithm>

#include "reports/schema/outcome.h"
#include "reports/table/grid.h"
#include "reports/table/parts.h"

namespace bench::reports {
namespace {

using schema::CaseResult;
using schema::Number;
using schema::Report;

// The rate that says most: where a case has FLOPs and bytes, the one nearer to its ceiling.
std::string rate_text_of(const CaseResult& c) {
  const schema::Rates& r = c.rates;
  if (r.busbw_gbytes_per_s) return fmt::format("{:.4g} GB/s bus", *r.busbw_gbytes_per_s);
  if (r.gbytes_per_s && (!r.tflops_per_rank || (c.roofline && c.roofline->limit == "stream")))
    return fmt::format("{:.4g} GB/s", *r.gbytes_per_s);
  if (r.tflops_per_rank) return rate_text(*r.tflops_per_rank * 1e12, "FLOP/s");
  if (r.tokens_per_s) return fmt::format("{:.4g} tokens/s, all", *r.tokens_per_s);
  return "-";
}

// A stream is called by its access pattern: it says against which one the case was held.
std::string limit_text(const schema::Roofline& r) {
  if (r.limit == "gemm") return "GEMM";
  if (r.limit == "stream") return r.stream_pattern.empty() ? "stream" : r.stream_pattern;
  return "-";
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

void add_case(const CaseResult& c, const std::string& label, const std::string& ranks, Grid& grid) {
  std::vector<std::string> cells = {label, ranks};
  if (c.time_s) {
    const schema::Roofline r = c.roofline.value_or(schema::Roofline{});
    cells.insert(cells.end(),
                 {seconds_text(c.time_s->median), half_width_text(*c.time_s), rate_text_of(c),
                  number_text(r.intensity_flops_per_byte, 3), percent_text(r.gemm_fraction),
                  percent_text(r.stream_fraction), limit_text(r)});
  } else {
    cells.insert(cells.end(), 7, "-");
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
  Grid grid({"case", ">ranks", ">median", ">±95 %", ">rate of a rank", ">FLOP/B", ">of GEMM",
             ">of stream", "limit", "check", "outcome"});
  const auto all = static_cast<int>(report.environment.ranks.size());
  const bool same_ranks = std::all_of(report.cases.begin(), report.cases.end(),
                                      [&](const CaseResult& c) { return c.ranks == all; });
  for (const CaseResult& c : report.cases)
    if (c.ceiling.empty() || c.outcome != schema::Outcome::measured)
      add_case(c, label_of(report, c.name, c.dtype, c.params),
               same_ranks ? "" : std::to_string(c.ranks), grid);
  grid.hide_idle_columns();
  return grid.empty() ? "" : grid.text();
}

std::string ceilings_block(const Report& report) {
  Grid grid({"ceilings of this run", ">ranks at work", ">best GEMM of a rank",
             ">best stream of a rank", ">ridge, FLOP/B", ""});
  for (const schema::Ceiling& c : report.ceilings) {
    if (c.rank != 0) continue;
    const auto text = [](const Number& rate, const char* unit) {
      return rate ? rate_text(*rate, unit) : std::string("-");
    };
    grid.add({c.dtype, std::to_string(c.active_ranks), text(c.gemm_flops_per_s, "FLOP/s"),
              text(c.copy_bytes_per_s, "B/s"), number_text(c.ridge_flops_per_byte, 3),
              c.unsteady ? "UNSTEADY" : ""});
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

std::string evaluation_block(const Report& report) {
  Grid grid({"evaluation", ">ranks", ">targets", ">windows", ">loss", ">perplexity"});
  for (const CaseResult& c : report.cases) {
    if (!c.values.contains("eval.perplexity")) continue;
    const auto text = [&](const char* tag, int digits) {
      return fmt::format("{:.{}f}", c.values.at(tag).value, digits);
    };
    grid.add({label_of(report, c.name, c.dtype, c.params), std::to_string(c.ranks),
              text("eval.targets", 0), text("eval.windows", 0), text("eval.loss", 4),
              text("eval.perplexity", 3)});
  }
  return grid.empty() ? "" : grid.text();
}

}  // namespace bench::reports
