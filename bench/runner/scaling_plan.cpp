#include "bench/runner/scaling_plan.h"

#include <fmt/format.h>

#include <algorithm>

#include "bench/base/status.h"
#include "bench/model/model.h"
#include "bench/runner/option_lists.h"

namespace bench::runner {
namespace {

// One point before the plugin has been asked.
struct Point {
  std::string model;
  int ranks = 1, tp = 1, pp = 1, dp = 1;
  int64_t micro_batch = 1, global_batch = 1;
};

// The curve's layouts as the user's options bend them.
class Curve {
 public:
  Curve(const ScalingCurve& curve, const ScalingSpec& spec, const OptionSet& options,
        const PlanInputs& inputs)
      : curve_(curve), spec_(spec), options_(options), inputs_(inputs) {
    full_size_ = !options.has("model") && curve.full_size_memory_bytes > 0 &&
                 inputs.device != "cpu" &&
                 static_cast<double>(inputs.memory_bytes) >= curve.full_size_memory_bytes;
    batch_ = options.integer("global-batch", options.integer("micro-batch", curve.batch));
    asked_axis_ = options.text("scaling-axis", "");
    if (asked_axis_.empty() && options.has("pp"))
      throw UsageError(
          "--pp: a curve's points have stages of their own; use --scaling-axis pipeline");
    if (!asked_axis_.empty())
      for (const char* fixed : {"tp", "pp", "dp"})
        if (options.has(fixed))
          throw UsageError(fmt::format(
              "--{} with --scaling-axis {}: the axis says what all ranks of a point are; "
              "leave one of them out",
              fixed, asked_axis_));
  }

  bool full_size() const { return full_size_; }

  // Throws UsageError where the asked layout does not fit n ranks.
  Point at(int n) const {
    Point p;
    p.ranks = n;
    p.tp = tensor_parallel(n);
    p.pp = asked_axis_ == "pipeline" ? n : 1;
    p.dp = n / p.tp / p.pp;
    p.model = model(p.tp);
    if (p.pp > 1) {
      set_pipeline(p);
    } else if (curve_.kind == "weak") {
      p.global_batch = batch_ * p.dp;
      p.micro_batch = options_.integer("micro-batch", batch_);
    } else {
      if (batch_ % p.dp != 0)
        throw UsageError(fmt::format(
            "a batch of {} sequences does not divide over {} data-parallel ranks", batch_, p.dp));
      p.global_batch = batch_;
      p.micro_batch = std::min(options_.integer("micro-batch", batch_), batch_ / p.dp);
    }
    return p;
  }

  std::string axis() const {
    if (!asked_axis_.empty()) return asked_axis_;
    if (options_.has("tp")) return options_.integer("tp", 1) == 1 ? "data" : "tensor+data";
    return inputs_.world_size <= std::min(inputs_.ranks_per_host, spec_.max_tensor_parallel)
               ? "tensor"
               : "tensor+data";
  }

 private:
  // The model grows with its stages (Narayanan 2021, section 5.4.1), or stays. As many
  // micro-batches as make the bubble small, from the one batch.
  void set_pipeline(Point& p) const {
    if (curve_.kind == "weak") {
      const model::ModelConfig m = model::parse_model(p.model);
      p.model = fmt::format("layers={},hidden={},heads={},seq={},vocab={}", m.layers * p.pp,
                            m.hidden, m.heads, m.seq, m.vocab);
    }
    p.global_batch = batch_;
    p.micro_batch = options_.integer("micro-batch", 0);
    for (int64_t m = std::max<int64_t>(1, batch_ / (4 * p.pp)); p.micro_batch == 0; --m)
      if (batch_ % m == 0) p.micro_batch = m;
  }

  int tensor_parallel(int n) const {
    if (n == 1 || asked_axis_ == "data" || asked_axis_ == "pipeline") return 1;
    if (asked_axis_ == "tensor") return n;
    if (options_.has("dp") && !options_.has("tp"))
      return n / static_cast<int>(std::min<int64_t>(n, options_.integer("dp", 1)));
    if (!options_.has("tp")) {
      int tp = default_tensor_parallel(n, inputs_.ranks_per_host, spec_.max_tensor_parallel);
      while (tp > 1 && curve_.kind == "weak" && !options_.has("model") && !models().contains(tp))
        tp /= 2;
      return tp;
    }
    const int tp = static_cast<int>(options_.integer("tp", 1));
    if (n < tp) return n;  // the curve starts below the asked width
    if (n % tp != 0)
      throw UsageError(
          fmt::format("{} ranks do not divide into tensor-parallel groups of {}", n, tp));
    return tp;
  }

  const std::map<int, std::string>& models() const {
    return full_size_ ? curve_.full_size_models : curve_.models;
  }

  std::string model(int tp) const {
    if (options_.has("model")) return options_.text("model", "");
    const auto found = models().find(curve_.kind == "weak" ? tp : 1);
    if (found == models().end())
      throw UsageError(fmt::format("no model is given for {} tensor-parallel ranks", tp));
    return found->second;
  }

  const ScalingCurve& curve_;
  const ScalingSpec& spec_;
  const OptionSet& options_;
  const PlanInputs& inputs_;
  bool full_size_ = false;
  int64_t batch_ = 0;
  std::string asked_axis_;
};

OptionSet point_options(const OptionSet& options, const Point& p) {
  OptionSet mine;
  const auto set = [&](const char* name, const std::string& text) {
    mine.set(name, text, "scaling");
  };
  set("model", p.model);
  set("tp", std::to_string(p.tp));
  set("pp", std::to_string(p.pp));
  set("dp", std::to_string(p.dp));
  set("micro-batch", std::to_string(p.micro_batch));
  set("global-batch", std::to_string(p.global_batch));
  mine.fill_from(options);
  return mine;
}

// Adds the point's case, or finds the same case that another curve has added. Returns its place.
size_t place_point(const Point& p, const OptionSet& options, const std::string& suite,
                   Plugin& plugin, const PlanInputs& inputs, CasePlan& plan) {
  const Request request = make_request(point_options(options, p), suite, "", p.ranks, inputs);
  for (size_t i = 0; i < plan.cases.size(); ++i)
    if (!plan.cases[i].scaling_point.empty() && plan.cases[i].request.text() == request.text())
      return i;
  std::vector<CaseSpec> specs = plugin.cases(request);
  if (specs.size() != 1)
    throw EnvironmentError(fmt::format(
        "plugin {} gave {} cases for one scaling point; one is needed", plugin.id(), specs.size()));
  plan.cases.push_back({.plugin = &plugin,
                        .request = request,
                        .spec = std::move(specs.front()),
                        .suite = suite,
                        .ranks = p.ranks,
                        .ceiling = false,
                        .scaling_point = fmt::format("point{}", plan.cases.size()),
                        .flank = {}});
  return plan.cases.size() - 1;
}

}  // namespace

int default_tensor_parallel(int n, int ranks_per_host, int limit) {
  int tp = 1;
  while (tp * 2 <= std::min({n, ranks_per_host, limit}) && n % (tp * 2) == 0) tp *= 2;
  return tp;
}

Request make_request(const OptionSet& options, const std::string& suite, const std::string& set,
                     int ranks, const PlanInputs& inputs) {
  Request r{.suite = suite,
            .set = set,
            .device = inputs.device,
            .dtype = options.text("dtype", "f32"),
            .ranks = ranks,
            .threads = inputs.threads,
            .seed = static_cast<uint64_t>(options.integer("seed", 1)),
            .last_level_cache_bytes = inputs.last_level_cache_bytes,
            .options = {}};
  for (const auto& [name, values] : options.all()) {
    const OptionSpec* spec = find_option(name);
    if (spec == nullptr || !spec->for_plugins) continue;
    for (const std::string& v : values) r.options.emplace_back(name, v);
  }
  return r;
}

void add_scaling(const ScalingSpec& spec, const OptionSet& options, const std::string& suite,
                 PluginSet& plugins, const PlanInputs& inputs, CasePlan& plan) {
  Plugin& plugin = plugins.need(spec.plugin, inputs.device);
  OptionSet merged = options;
  merged.fill_from(spec.options);
  if (expand(merged).size() > 1)
    throw UsageError(fmt::format(
        "suite {}: a scaling curve takes one --variant an op and one --axis a key", suite));
  for (const ScalingCurve& wanted : spec.curves) {
    if (merged.has("kind") && merged.text("kind", "") != wanted.kind) continue;
    const Curve curve(wanted, spec, merged, inputs);
    schema::ScalingPlan made{.kind = wanted.kind,
                             .axis = curve.axis(),
                             .baseline = {},
                             .comparable_model = curve.full_size(),
                             .points = {}};
    for (const int n : scaling_ranks(inputs.world_size)) {
      try {
        const size_t at = place_point(curve.at(n), merged, suite, plugin, inputs, plan);
        const std::string id = plan.cases[at].scaling_point;
        made.points.push_back({.id = id, .case_name = plan.cases[at].spec.name, .ranks = n});
        if (n == 1) made.baseline = id;
      } catch (const UsageError& e) {
        if (n == 1 || merged.has("tp") || (merged.has("model") && !merged.has("scaling-axis")))
          throw;
        plan.notes.push_back(
            fmt::format("{} scaling has no point at {} ranks: {}", wanted.kind, n, e.what()));
      }
    }
    if (!curve.full_size() && !merged.has("model"))
      plan.notes.push_back(fmt::format(
          "{} scaling runs a miniature of the Megatron-LM paper's models: {}", wanted.kind,
          inputs.device == "cpu" ? "a CPU rank is too small for the real ones in useful time"
                                 : "the device's memory is too small for the real ones"));
    plan.curves.push_back(std::move(made));
  }
}

}  // namespace bench::runner
