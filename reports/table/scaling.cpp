#include <fmt/format.h>

#include <utility>

#include "reports/table/grid.h"
#include "reports/table/parts.h"

namespace bench::reports {
namespace {

using schema::Scaling;
using schema::ScalingPoint;

std::string layout_text(const schema::Layout& l) {
  if (l.tp == 0 && l.pp == 0 && l.dp == 0) return "-";
  return fmt::format("tp {} pp {} dp {}{}", l.tp, l.pp, l.dp, l.sequence_parallel ? " sp" : "");
}

std::string with_range(const schema::Number& x, const schema::Interval& range) {
  if (!x) return "-";
  return fmt::format("{:.1f} % ({:.1f}-{:.1f})", *x * 100, range.low * 100, range.high * 100);
}

// Where a step's time went, and the datasheet's view of it.
std::string details_text(const ScalingPoint& p) {
  const schema::SplitSeconds& s = p.split_s;
  const std::pair<const char*, schema::Number> parts[] = {
      {"compute", s.compute}, {"exposed comm", s.exposed_comm},
      {"bubble", s.bubble},   {"optimizer", s.optimizer},
      {"skew", s.skew},       {"other", s.other}};
  std::string text;
  for (const auto& [name, seconds] : parts)
    if (seconds) text += fmt::format(", {} {}", name, seconds_text(*seconds));
  if (p.peak_datasheet)
    text += fmt::format(", {} of the datasheet's peak", percent_text(p.peak_datasheet));
  if (text.empty()) return "";
  return fmt::format("  {} rank{}: {}\n", p.ranks, p.ranks == 1 ? "" : "s", text.substr(2));
}

std::string curve_text(const Scaling& curve) {
  Grid grid({"model", ">ranks", "layout", ">batch", ">step", ">tokens/s", ">model_causal",
             ">hardware", ">eff. flops", ">parameters", ">time", ">of GEMM ceiling"});
  std::string notes;
  for (const ScalingPoint& p : curve.points) {
    grid.add({p.model.empty() ? "-" : p.model, std::to_string(p.ranks), layout_text(p.layout),
              p.batch > 0 ? fmt::format("{}", p.batch) : "-",
              p.step_s ? seconds_text(*p.step_s) : "-", number_text(p.tokens_per_s),
              number_text(p.tflops_per_rank.model_causal),
              number_text(p.tflops_per_rank.hardware_full_recompute),
              with_range(p.efficiency.flops, p.efficiency.flops_ci),
              percent_text(p.efficiency.parameters), percent_text(p.efficiency.time),
              percent_text(p.peak_measured_gemm)});
    notes += details_text(p);
    if (!p.comparable) notes += fmt::format("  {} ranks: not comparable: {}\n", p.ranks, p.why_not);
    if (!p.efficiency.time_why_not.empty())
      notes +=
          fmt::format("  {} ranks: no time efficiency: {}\n", p.ranks, p.efficiency.time_why_not);
  }
  return fmt::format("{} scaling over {} ranks; TFLOP/s of a rank, efficiencies against {}\n{}{}",
                     curve.kind, curve.axis, curve.baseline_case, grid.text(), notes);
}

}  // namespace

std::string scaling_block(const schema::Report& report) {
  std::string out;
  if (report.scaling) out += curve_text(*report.scaling);
  for (const Scaling& curve : report.scaling_more)
    out += (out.empty() ? "" : "\n") + curve_text(curve);
  return out;
}

}  // namespace bench::reports
