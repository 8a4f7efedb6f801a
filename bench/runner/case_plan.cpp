#include "bench/runner/case_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <regex>
#include <set>

#include "bench/base/hash.h"
#include "bench/base/status.h"
#include "bench/runner/attach_flanks.h"
#include "bench/runner/scaling_plan.h"

namespace bench::runner {
namespace {

std::regex make_regex(const OptionSet& options, const char* name) {
  const std::string text = options.text(name, "");
  try {
    return std::regex(text);
  } catch (const std::regex_error& e) {
    throw UsageError(fmt::format("--{} '{}' is no regular expression: {}", name, text, e.what()));
  }
}

void add_entry(const SuiteEntry& entry, const OptionSet& options, const Suite& suite,
               PluginSet& plugins, const PlanInputs& inputs, CasePlan& plan) {
  OptionSet mine = inputs.options;
  mine.fill_from(entry.options);
  mine.fill_from(options);
  const int ranks = entry.ranks == 0 ? inputs.world_size : std::min(entry.ranks, inputs.world_size);
  Plugin& plugin = plugins.need(entry.plugin, inputs.device);
  const Request request = make_request(mine, suite.name, entry.set, ranks, inputs);
  for (CaseSpec& spec : plugin.cases(request))
    plan.cases.push_back({.plugin = &plugin,
                          .request = request,
                          .spec = std::move(spec),
                          .suite = suite.name,
                          .ranks = ranks,
                          .ceiling = false,
                          .scaling_point = {},
                          .flank = {}});
}

// Only what the filters leave. A scaling curve keeps its shape: its points go or stay together.
void apply_filters(const OptionSet& options, CasePlan& plan) {
  if (!options.has("filter") && !options.has("exclude")) return;
  const std::regex keep = make_regex(options, "filter"), drop = make_regex(options, "exclude");
  const size_t before = plan.cases.size();
  bool dropped_point = false;
  std::erase_if(plan.cases, [&](const PlannedCase& c) {
    const bool out = (options.has("filter") && !std::regex_search(c.spec.name, keep)) ||
                     (options.has("exclude") && std::regex_search(c.spec.name, drop));
    dropped_point |= out && !c.scaling_point.empty();
    return out;
  });
  if (plan.cases.empty())
    throw UsageError(fmt::format(
        "--filter/--exclude leave none of {} cases; `bench list` shows their names", before));
  if (dropped_point) {
    plan.curves.clear();
    plan.notes.push_back("no scaling curve: the filter took some of its points");
  }
}

// The machine's limits, once per number of active ranks, alone (one rank) besides.
void add_ceilings(PluginSet& plugins, const PlanInputs& inputs, CasePlan& plan) {
  std::set<int> counts = {1};
  for (const PlannedCase& c : plan.cases) counts.insert(c.ranks);
  Plugin& plugin = plugins.need("kernels", inputs.device);
  for (const int ranks : counts) {
    const Request request = make_request(inputs.options, "ceilings", "ceilings", ranks, inputs);
    for (CaseSpec& spec : plugin.cases(request))
      plan.cases.push_back({.plugin = &plugin,
                            .request = request,
                            .spec = std::move(spec),
                            .suite = "ceilings",
                            .ranks = ranks,
                            .ceiling = true,
                            .scaling_point = {},
                            .flank = {}});
  }
}

}  // namespace

std::vector<int> scaling_ranks(int n) {
  std::vector<int> ranks;
  for (int r = 1; r < n; r *= 2) ranks.push_back(r);
  ranks.push_back(n);
  return ranks;
}

uint64_t CasePlan::hash() const {
  uint64_t h = kHashStart;
  for (const PlannedCase& c : cases) {
    h = hash_bytes(fmt::format("{}\n{}\n{}\n{}\n{}\n", c.plugin->id(), c.request.text(),
                               c.spec.name, c.spec.dtype, c.ranks),
                   h);
    h = hash_bytes(fmt::format("{} {} {} {} {}\n", c.spec.tokens, c.spec.collective,
                               c.spec.training, c.spec.mode, c.spec.flank),
                   h);
  }
  return h;
}

CasePlan make_plan(const std::vector<Suite>& suites, PluginSet& plugins, const PlanInputs& inputs) {
  CasePlan plan;
  bool ceilings = false;
  for (const Suite& suite : suites) {
    ceilings |= suite.ceilings;
    OptionSet options = inputs.options;
    options.fill_from(suite.options);
    for (const SuiteEntry& entry : suite.entries)
      add_entry(entry, options, suite, plugins, inputs, plan);
    if (suite.scaling) add_scaling(*suite.scaling, options, suite.name, plugins, inputs, plan);
  }
  apply_filters(inputs.options, plan);
  if (plan.cases.empty()) throw UsageError("the suite names no case");
  if (ceilings) add_ceilings(plugins, inputs, plan);
  attach_flanks(plan);
  return plan;
}

}  // namespace bench::runner
