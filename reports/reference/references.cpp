#include "reports/reference/references.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "reports/derive/ceilings.h"
#include "reports/derive/step_model.h"
#include "reports/reference/peaks.h"

namespace bench::embedded {
extern const char* const kMegatron2019;
}

namespace bench::reports {
namespace {

using Json = nlohmann::json;
using schema::CaseResult;
using schema::Reference;
using schema::Report;
using schema::ScalingPoint;

Reference from_data(const Json& data, const Json& figure) {
  Reference r{.id = figure.at("id"),
              .source = fmt::format("{} ({})", data.at("source").get<std::string>(),
                                    data.at("date").get<std::string>()),
              .value = figure.at("value"),
              .unit = figure.at("unit"),
              .formula = figure.at("formula"),
              .conditions = {},
              .measured = {},
              .ratio = {},
              .why_not = {},
              .peak_reference = {},
              .peak_measured = {},
              .peak_of = {}};
  for (const auto& [key, value] : figure.at("conditions").items()) {
    if (value.is_number())
      r.conditions[key] = value.get<double>();
    else
      r.conditions[key] = value.get<std::string>();
  }
  if (figure.contains("as_peak_fraction"))
    r.peak_reference = figure.at("as_peak_fraction").get<double>();
  return r;
}

void set_measured(Reference& r, double measured) {
  r.measured = measured;
  r.ratio = measured / r.value;
}

void add_reason(Reference& r, const std::string& why) {
  r.why_not += (r.why_not.empty() ? "" : "; ") + why;
}

std::string shape_of(int64_t layers, int64_t hidden, int64_t heads, int64_t seq) {
  return fmt::format("{} layers x {} hidden, {} heads, {} tokens", layers, hidden, heads, seq);
}

// What sets this step apart from the published one, in plain words.
void compare_step(const CaseResult& c, const StepModel& step, const Json& published, Reference& r) {
  if (c.device == "cpu") add_reason(r, "the ranks are CPUs, not GPUs");
  if (c.dtype == "f32") add_reason(r, "f32 arithmetic, not 16-bit mixed precision");
  const auto number = [&](const char* key) { return published.at(key).get<int64_t>(); };
  const model::ModelConfig& m = step.config;
  if (m.layers != number("layers") || m.hidden != number("hidden") || m.heads != number("heads") ||
      m.seq != number("seq"))
    add_reason(r, fmt::format("the model is {} ({}), not the paper's {} ({})", m.name,
                              shape_of(m.layers, m.hidden, m.heads, m.seq),
                              published.at("model").get<std::string>(),
                              shape_of(number("layers"), number("hidden"), number("heads"),
                                       number("seq"))));
  if (step.batch != published.at("batch").get<double>())
    add_reason(r, fmt::format("batch {}, not {}", step.batch, number("batch")));
}

// The step of one rank: the curve's baseline where there is one, else a training case.
const CaseResult* single_rank_step(const Report& report) {
  const auto usable = [&](const CaseResult* c) {
    return c != nullptr && c->ranks == 1 && c->time_s && c->outcome == schema::Outcome::measured &&
           training_of(report, *c) != nullptr;
  };
  if (report.scaling)
    for (const ScalingPoint& p : report.scaling->points)
      if (const CaseResult* c = find_case(report, p.scaling_point, p.case_name, p.ranks); usable(c))
        return c;
  for (const CaseResult& c : report.cases)
    if (usable(&c)) return &c;
  return nullptr;
}

// Where the device has no datasheet peak here, the best GEMM of the same rounds stands in, and is
// named.
void set_peak_fraction(const Report& report, const CaseResult& c, double flops, Reference& r) {
  const std::string device =
      report.environment.ranks.empty() ? "" : report.environment.ranks.front().device.name;
  if (const auto peak = datasheet_peak_flops_per_s(device, c.dtype)) {
    r.peak_measured = flops / c.time_s->median / *peak;
    r.peak_of = fmt::format("datasheet peak of {}", device);
    return;
  }
  r.peak_measured =
      ratio_over_rounds(rates_by_round(c, flops), gemm_rates(report, c.ranks, c.dtype)).median;
  r.peak_of =
      fmt::format("measured GEMM ceiling; no {} datasheet peak is known for '{}'", c.dtype, device);
}

Reference single_gpu(const Report& report, const Json& data) {
  const Json& figure = data.at("single_gpu_tflops");
  Reference r = from_data(data, figure);
  const CaseResult* c = single_rank_step(report);
  const auto step = c != nullptr ? step_model_of(report, *c) : std::nullopt;
  if (!step) {
    r.why_not = "no training step of one rank was measured";
    return r;
  }
  set_measured(r, step->flops.hardware_full_recompute / c->time_s->median / 1e12);
  set_peak_fraction(report, *c, step->flops.hardware_full_recompute, r);
  compare_step(*c, *step, figure.at("conditions"), r);
  if (step->recompute != "full")
    add_reason(
        r, fmt::format(
               "no full activation recompute, as the published step had: hold this run's {:.4g} "
               "model TFLOP/s against {}",
               step->flops.model / c->time_s->median / 1e12,
               figure.at("as_model_tflops").get<double>()));
  r.comparable = r.why_not.empty();
  return r;
}

Reference scaling_efficiency(const Report& report, const Json& data) {
  const Json& figure = data.at("scaling_efficiency");
  Reference r = from_data(data, figure);
  const ScalingPoint* largest = largest_point(report);
  if (largest == nullptr || largest->ranks < 2) {
    r.why_not = largest == nullptr ? "no weak-scaling curve was run" : "one rank does not scale";
    return r;
  }
  if (!largest->efficiency.flops) {
    r.why_not = fmt::format("no efficiency at {} ranks: {}", largest->ranks, largest->why_not);
    return r;
  }
  set_measured(r, *largest->efficiency.flops);
  const Json& published = figure.at("conditions");
  if (!largest->comparable) add_reason(r, largest->why_not);
  if (largest->ranks != published.at("ranks").get<int>())
    add_reason(r,
               fmt::format("{} ranks, not {}", largest->ranks, published.at("ranks").get<int>()));
  const CaseResult* c =
      find_case(report, largest->scaling_point, largest->case_name, largest->ranks);
  const auto step = c != nullptr ? step_model_of(report, *c) : std::nullopt;
  if (step) compare_step(*c, *step, published, r);
  if (largest->recompute != "full")
    add_reason(r, "no full activation recompute, as the published steps had");
  r.comparable = r.why_not.empty();
  return r;
}

}  // namespace

const ScalingPoint* largest_point(const Report& report) {
  if (!report.scaling || report.scaling->points.empty()) return nullptr;
  return &*std::max_element(report.scaling->points.begin(), report.scaling->points.end(),
                            [](const auto& a, const auto& b) { return a.ranks < b.ranks; });
}

std::vector<Reference> make_references(const Report& report) {
  const Json data = Json::parse(embedded::kMegatron2019);
  return {single_gpu(report, data), scaling_efficiency(report, data)};
}

}  // namespace bench::reports
