#include "reports/derive/scaling.h"

#include <fmt/format.h>

#include <algorithm>

#include "reports/derive/ceilings.h"
#include "reports/derive/oversubscribed.h"
#include "reports/derive/rounds.h"
#include "reports/derive/step_model.h"
#include "reports/reference/peaks.h"
#include "reports/schema/outcome.h"

namespace bench::reports {
namespace {

using schema::CaseResult;
using schema::Number;
using schema::Report;
using schema::ScalingPoint;

// A planned point with what the run knows of it.
struct Found {
  int ranks = 1;
  const CaseResult* result = nullptr;  // measured, or why not
  std::optional<StepModel> step;
  ByRound times_s;

  bool usable() const { return step && !times_s.empty(); }
};

Found find(const schema::ScalingPlanPoint& planned, const Report& report) {
  Found found;
  found.ranks = planned.ranks;
  found.result = find_case(report, planned.id, planned.case_name, planned.ranks);
  if (found.result == nullptr) return found;
  found.step = step_model_of(report, *found.result);
  found.times_s = times_by_round(*found.result);
  return found;
}

std::string why_unusable(const Found& found, const char* which) {
  if (found.result == nullptr) return fmt::format("{} has no result in this run", which);
  if (found.result->outcome != schema::Outcome::measured)
    return fmt::format("{} was not measured ({}): {}", which, name_of(found.result->outcome),
                       found.result->reason);
  if (found.times_s.empty()) return fmt::format("{} has no round", which);
  return fmt::format("{} has no facts about its model", which);
}

Number split_value(const CaseResult& c, const char* tag) {
  const auto found = c.values.find(tag);
  return found == c.values.end() ? Number() : Number(found->second.value);
}

schema::SplitSeconds split_of(const CaseResult& c) {
  return {.compute = split_value(c, "split.compute"),
          .exposed_comm = split_value(c, "split.exposed_comm"),
          .bubble = split_value(c, "split.bubble"),
          .optimizer = split_value(c, "split.optimizer"),
          .skew = split_value(c, "split.skew"),
          .other = split_value(c, "split.other")};
}

schema::Efficiency efficiency_of(const Found& at, const Found& base) {
  const double ranks_ratio = static_cast<double>(base.ranks) / at.ranks;
  const auto against = [&](double work, double base_work) {
    return ratio_over_rounds(base.times_s, at.times_s, work / base_work * ranks_ratio);
  };
  const StepModel &here = *at.step, &there = *base.step;
  const OverRounds flops =
      against(here.flops.hardware_full_recompute, there.flops.hardware_full_recompute);
  const OverRounds parameters =
      against(here.parameters_formula * here.batch, there.parameters_formula * there.batch);
  schema::Efficiency e{.flops = flops.median,
                       .parameters = parameters.median,
                       .time = {},
                       .flops_ci = flops.range,
                       .time_why_not = {},
                       .parameters_ci = parameters.range,
                       .time_ci = {}};
  if (!same_model(here.config, there.config)) {
    e.time_why_not =
        fmt::format("the model grows from {} to {}: the times are not of the same work",
                    there.config.name, here.config.name);
    return e;
  }
  const OverRounds time = against(here.batch, there.batch);
  e.time = time.median;
  e.time_ci = time.range;
  return e;
}

// TFLOP/s and fractions of one point; the fraction of the measured ceiling is formed inside rounds.
void fill_rates(const Found& at, const Report& report, ScalingPoint& point) {
  const CaseResult& c = *at.result;
  const double rank_seconds = *point.step_s * at.ranks;
  const model::StepFlops& flops = at.step->flops;
  point.tokens_per_s = at.step->batch * static_cast<double>(at.step->config.seq) / *point.step_s;
  point.tflops_per_rank = {
      .executed = c.work.flops ? Number(*c.work.flops / *point.step_s / 1e12) : Number(),
      .model = flops.model / rank_seconds / 1e12,
      .model_causal = flops.model_causal / rank_seconds / 1e12,
      .hardware_full_recompute = flops.hardware_full_recompute / rank_seconds / 1e12};
  point.peak_measured_gemm = ratio_over_rounds(rates_by_round(c, flops.model_causal / at.ranks),
                                               gemm_rates(report, at.ranks, c.dtype))
                                 .median;
  if (report.environment.ranks.empty()) return;
  const auto peak =
      datasheet_peak_flops_per_s(report.environment.ranks.front().device.name, c.dtype);
  if (peak) point.peak_datasheet = *point.tflops_per_rank.model_causal * 1e12 / *peak;
}

void not_comparable(ScalingPoint& point, const std::string& why) {
  point.comparable = false;
  point.why_not += (point.why_not.empty() ? "" : "; ") + why;
}

ScalingPoint make_point(const Found& at, const Found& base, const Report& report) {
  ScalingPoint point;
  point.ranks = at.ranks;
  if (at.result != nullptr) {
    point.layout = at.result->layout;
    point.split_s = split_of(*at.result);
  }
  if (at.step) {
    point.model = at.step->config.name;
    point.parameters = at.step->parameters;
    point.batch = at.step->batch;
    point.recompute = at.step->recompute;
  }
  if (!at.usable()) {
    not_comparable(point, why_unusable(at, "the point"));
    return point;
  }
  point.step_s = at.result->time_s->median;
  point.step_ci95_s = at.result->time_s->ci95;
  fill_rates(at, report, point);
  if (base.usable())
    point.efficiency = efficiency_of(at, base);
  else
    not_comparable(point, why_unusable(base, "the baseline"));
  if (oversubscribed(report.environment, at.ranks))
    not_comparable(point, fmt::format("{} ranks are more than the cores they may use", at.ranks));
  return point;
}

}  // namespace

schema::Scaling derive_scaling(const schema::ScalingPlan& plan, const Report& report) {
  schema::Scaling scaling{.kind = plan.kind, .axis = plan.axis, .baseline_case = {}, .points = {}};
  const auto base_at = std::find_if(plan.points.begin(), plan.points.end(),
                                    [&](const auto& p) { return p.id == plan.baseline; });
  Found base;
  if (base_at != plan.points.end()) {
    scaling.baseline_case = base_at->case_name;
    base = find(*base_at, report);
  }
  for (const schema::ScalingPlanPoint& planned : plan.points) {
    ScalingPoint point = make_point(find(planned, report), base, report);
    point.kind = plan.kind;
    point.baseline_case = scaling.baseline_case;
    point.case_name = planned.case_name;
    point.scaling_point = planned.id;
    scaling.points.push_back(std::move(point));
  }
  return scaling;
}

}  // namespace bench::reports
