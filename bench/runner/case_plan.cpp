#include "bench/runner/case_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <regex>
#include <set>
#include <span>
#include <tuple>

#include "bench/base/hash.h"
#include "bench/base/status.h"
#include "bench/runner/attach_flanks.h"
#include "bench/runner/layout_planner.h"
#include "bench/runner/option_lists.h"
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

// What tells cases of one request from each other.
using Identity = std::tuple<std::string, schema::Params, std::string>;
Identity identity_of(const CaseSpec& c) { return {c.name, c.params, c.dtype}; }

// The lists that entries were expanded by, for check_lists.
struct AskedLists {
  std::vector<KeyedList> variants, axes;
  bool laid_out = false;  // an entry took --layout
};

// Lists become a request each. A case that none of them touches comes from all, and is planned
// once.
void add_entry(const SuiteEntry& entry, const OptionSet& options, const Suite& suite,
               PluginSet& plugins, const PlanInputs& inputs, CasePlan& plan, AskedLists& asked) {
  OptionSet mine = inputs.options;
  mine.fill_from(entry.options);
  mine.fill_from(options);
  const int ranks = entry.ranks == 0 ? inputs.world_size : std::min(entry.ranks, inputs.world_size);
  Plugin& plugin = plugins.need(entry.plugin, inputs.device);
  if (mine.has("layout") && plugin.id() == kTrainingPlugin) {
    asked.laid_out = true;
    const Layout best = best_layout(plugin, mine, inputs, ranks);
    plan.notes.push_back(fmt::format("--layout auto: {}", text_of(best)));
    mine = with_layout(mine, best);
  }
  std::set<Identity> seen;
  for (const OptionSet& single : expand(mine)) {
    const Request request = make_request(single, suite.name, entry.set, ranks, inputs);
    std::set<Identity> here;
    for (CaseSpec& spec : plugin.cases(request)) {
      here.insert(identity_of(spec));
      if (seen.contains(identity_of(spec))) continue;
      plan.cases.push_back({.plugin = &plugin,
                            .request = request,
                            .spec = std::move(spec),
                            .suite = suite.name,
                            .ranks = ranks,
                            .ceiling = false,
                            .scaling_point = {},
                            .flank = {}});
    }
    seen.merge(here);
  }
  for (KeyedList& list : keyed_lists(mine, "variant")) asked.variants.push_back(std::move(list));
  for (KeyedList& list : keyed_lists(mine, "axis")) asked.axes.push_back(std::move(list));
}

bool has_text(const CaseSpec& c, const std::string& text) {
  return std::any_of(c.params.begin(), c.params.end(), [&](const auto& param) {
    const auto* found = std::get_if<std::string>(&param.second);
    return found != nullptr && *found == text;
  });
}

// Two cases would write over each other's file.
void check_saving(const CasePlan& plan) {
  int64_t asked = 0, savers = 0;
  for (const PlannedCase& c : plan.cases) {
    const bool saves =
        std::any_of(c.request.options.begin(), c.request.options.end(),
                    [](const auto& option) { return option.first == "save-weights"; });
    asked += saves ? 1 : 0;
    savers += saves && c.spec.training ? 1 : 0;
  }
  if (asked > 0 && savers != 1)
    throw UsageError(fmt::format(
        "--save-weights: {} cases train a model, but one file takes the weights of one: choose a "
        "suite, layout and variant that leave one",
        savers));
}

// A list that makes no difference to any case would be silently without effect.
void check_lists(const AskedLists& asked, const CasePlan& plan) {
  const auto some = [&](const auto& holds) {
    return std::any_of(plan.cases.begin(), plan.cases.end(),
                       [&](const PlannedCase& c) { return holds(c.spec); });
  };
  for (const KeyedList& axis : asked.axes)
    if (!some([&](const CaseSpec& c) { return c.params.contains(axis.key); }))
      throw UsageError(fmt::format(
          "--axis {}=…: no case has a parameter '{}'; `bench list --json` shows what they have",
          axis.key, axis.key));
  for (const KeyedList& variants : asked.variants)
    for (const std::string& name : variants.values)
      if (variants.values.size() > 1 && !some([&](const CaseSpec& c) { return has_text(c, name); }))
        throw UsageError(
            fmt::format("--variant {}=…: no case names '{}' among its parameters, so that it could "
                        "not be told from the others; give one name",
                        variants.key, name));
}

// Only what the filters leave. A scaling curve keeps its shape: its points go or stay together.
void apply_filters(const OptionSet& options, CasePlan& plan) {
  const std::string mode = options.text("mode", "all");
  if (!options.has("filter") && !options.has("exclude") && mode == "all") return;
  const std::regex keep = make_regex(options, "filter"), drop = make_regex(options, "exclude");
  const size_t before = plan.cases.size();
  bool dropped_point = false;
  std::erase_if(plan.cases, [&](const PlannedCase& c) {
    const bool out = (options.has("filter") && !std::regex_search(c.spec.name, keep)) ||
                     (options.has("exclude") && std::regex_search(c.spec.name, drop)) ||
                     (mode != "all" && (mode == "cold") != (c.spec.mode == BENCH_MODE_COLD));
    dropped_point |= out && !c.scaling_point.empty();
    return out;
  });
  if (plan.cases.empty())
    throw UsageError(fmt::format(
        "--filter, --exclude and --mode leave none of {} cases; `bench list` shows their names",
        before));
  if (dropped_point) {
    plan.curves.clear();
    plan.notes.push_back("no scaling curve: the filter took some of its points");
  }
}

// A ceiling takes time from every round: not the stream of an access pattern that no case has, nor
// a rate that is no ceiling where none of its plugin's cases runs. A copy is everybody's.
bool needed(const CaseSpec& ceiling, const Plugin& plugin, std::span<const PlannedCase> cases) {
  const auto pattern = ceiling.params.find("pattern");
  if (ceiling.ceiling == BENCH_CEILING_COPY && pattern != ceiling.params.end() &&
      pattern->second != schema::ParamValue("copy"))
    return std::any_of(cases.begin(), cases.end(), [&](const PlannedCase& c) {
      const auto own = c.spec.params.find("pattern");
      return !c.ceiling && own != c.spec.params.end() && own->second == pattern->second;
    });
  return ceiling.ceiling != BENCH_CEILING_NONE ||
         std::any_of(cases.begin(), cases.end(),
                     [&](const PlannedCase& c) { return !c.ceiling && c.plugin == &plugin; });
}

// The machine's limits for every element type that runs, once per number of active ranks, alone
// (one rank) besides.
void add_ceilings(PluginSet& plugins, const PlanInputs& inputs, CasePlan& plan) {
  std::set<std::pair<int, std::string>> wanted;
  for (const PlannedCase& c : plan.cases)
    for (const int ranks : {1, c.ranks}) wanted.insert({ranks, c.request.dtype});
  Plugin& plugin = plugins.need("kernels", inputs.device);
  OptionSet options = inputs.options;
  for (const char* list : {"variant", "axis"}) options.remove(list);
  std::set<std::pair<int, Identity>> seen;
  for (const auto& [ranks, dtype] : wanted) {
    options.set("dtype", dtype, "ceilings");
    const Request request = make_request(options, "ceilings", "ceilings", ranks, inputs);
    for (CaseSpec& spec : plugin.cases(request)) {
      if (!needed(spec, plugin, plan.cases)) continue;
      if (!seen.insert({ranks, identity_of(spec)}).second) continue;
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
}

void name_communicators(const PlanInputs& inputs, CasePlan& plan) {
  if (!inputs.comm_label) return;
  for (PlannedCase& c : plan.cases) {
    const std::string label = inputs.comm_label(c.ranks);
    if (c.spec.collective && !c.spec.host_comm && !label.empty())
      c.spec.params.try_emplace("comm", label);
  }
}

// Of ranks 0 … ranks-1, while the others do nothing. GPUs have each their own.
double memory_of_a_rank(const PlanInputs& inputs, int ranks) {
  const auto share = static_cast<double>(inputs.memory_bytes);
  if (inputs.device != "cpu") return share;
  return share * inputs.ranks_per_host / std::min(ranks, inputs.ranks_per_host);
}

// A training step that does not fit must not be begun: where memory runs out, the system ends any
// program that it likes.
void refuse_what_does_not_fit(const PlanInputs& inputs, CasePlan& plan) {
  std::string words;
  bool some_left = false;
  for (PlannedCase& c : plan.cases) {
    if (c.ceiling) continue;
    const double has = memory_of_a_rank(inputs, c.ranks);
    if (c.plugin->id() == kTrainingPlugin && has > 0 && c.spec.memory_bytes > has) {
      words = fmt::format("{} needs {} a rank, which has {}", c.spec.name,
                          memory_text(c.spec.memory_bytes), memory_text(has));
      if (c.spec.unavailable.empty()) c.spec.unavailable = words;
    } else {
      some_left = true;
    }
  }
  if (!words.empty() && !some_left)
    throw UsageError(words +
                     "; `bench plan` lists layouts that fit, --layout auto takes the best, "
                     "--layers-slice runs some of the layers");
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
    h = hash_bytes(fmt::format("{} {} {} {} {} {}\n", c.spec.tokens, c.spec.collective,
                               c.spec.training, c.spec.mode, c.spec.flank, c.spec.unavailable),
                   h);
  }
  return h;
}

CasePlan make_plan(const std::vector<Suite>& suites, PluginSet& plugins, const PlanInputs& inputs) {
  CasePlan plan;
  AskedLists asked;
  bool ceilings = false;
  for (const Suite& suite : suites) {
    ceilings |= suite.ceilings;
    OptionSet options = inputs.options;
    options.fill_from(suite.options);
    for (const SuiteEntry& entry : suite.entries)
      add_entry(entry, options, suite, plugins, inputs, plan, asked);
    if (suite.scaling && options.has("layout"))
      throw UsageError(fmt::format(
          "--layout: suite {} has scaling curves, which lay out their points themselves",
          suite.name));
    if (suite.scaling) add_scaling(*suite.scaling, options, suite.name, plugins, inputs, plan);
  }
  check_lists(asked, plan);
  if (inputs.options.has("layout") && !asked.laid_out)
    throw UsageError("--layout: no case of these suites trains a model");
  check_saving(plan);
  apply_filters(inputs.options, plan);
  if (plan.cases.empty()) throw UsageError("the suite names no case");
  if (ceilings) add_ceilings(plugins, inputs, plan);
  attach_flanks(plan);
  name_communicators(inputs, plan);
  refuse_what_does_not_fit(inputs, plan);
  return plan;
}

}  // namespace bench::runner
