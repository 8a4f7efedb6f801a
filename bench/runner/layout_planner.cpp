#include "bench/runner/layout_planner.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <tuple>

#include "bench/base/status.h"
#include "bench/runner/option_lists.h"
#include "bench/runner/scaling_plan.h"

namespace bench::runner {
namespace {

constexpr std::array kRecomputes = {"none", "selective", "full"};

// From what costs nothing to what costs most time.
struct Remedy {
  const char* recompute;
  int zero;
};
constexpr std::array kRemedies = {Remedy{"none", 0},      Remedy{"none", 1}, Remedy{"selective", 0},
                                  Remedy{"selective", 1}, Remedy{"full", 0}, Remedy{"full", 1}};

bool is_allowed(const OptionSet& options, const Remedy& remedy, int dp) {
  if (options.has("recompute") && options.text("recompute", "") != remedy.recompute) return false;
  if (options.has("zero")) return options.integer("zero", 0) == remedy.zero;
  return remedy.zero == 0 || dp > 1;
}

// Memory of the layout as it is; or in why_not what the plugin says against it.
void ask(Plugin& plugin, const OptionSet& options, const PlanInputs& inputs, int ranks,
         Layout& layout) {
  layout.why_not.clear();
  const Request request =
      make_request(with_layout(options, layout), "train", kPlanSet, ranks, inputs);
  try {
    for (const CaseSpec& spec : plugin.cases(request)) {
      layout.memory_bytes = spec.memory_bytes;
      layout.why_not = spec.unavailable;
      for (const char* part : kMemoryParts) {
        const auto found = spec.params.find(fmt::format("memory.{}", part));
        if (found != spec.params.end()) layout.memory[part] = std::get<double>(found->second);
      }
    }
  } catch (const UsageError& e) {
    layout.why_not = e.what();
  }
}

// The first remedy with which the division of the ranks fits, else the last one tried.
Layout least_remedy(Plugin& plugin, const OptionSet& options, const PlanInputs& inputs,
                    const LayoutQuestion& question, Layout layout) {
  for (const Remedy& remedy : kRemedies) {
    if (!is_allowed(options, remedy, layout.dp)) continue;
    layout.recompute = remedy.recompute;
    layout.zero = remedy.zero;
    ask(plugin, options, inputs, question.ranks, layout);
    // Norms by rows need tokens that divide over the tensor ranks.
    if (!layout.why_not.empty() && layout.sequence_parallel && !options.flag("sequence-parallel")) {
      layout.sequence_parallel = false;
      ask(plugin, options, inputs, question.ranks, layout);
    }
    if (!layout.why_not.empty()) return layout;
    if (layout.memory_bytes <= question.memory_bytes) return layout;
    layout.why_not = fmt::format("needs {} a rank, which has {}", memory_text(layout.memory_bytes),
                                 memory_text(question.memory_bytes));
  }
  return layout;
}

bool is_asked(const OptionSet& options, const char* name, int value) {
  return !options.has(name) || options.integer(name, 1) == value;
}

auto order_of(const Layout& layout, int ranks_per_host) {
  const auto recomputed = std::find(kRecomputes.begin(), kRecomputes.end(), layout.recompute);
  return std::tuple(!layout.why_not.empty(), recomputed - kRecomputes.begin(),
                    layout.tp > ranks_per_host, layout.pp, layout.tp);
}

}  // namespace

std::vector<Layout> plan_layouts(Plugin& plugin, const OptionSet& options, const PlanInputs& inputs,
                                 const LayoutQuestion& question) {
  if (question.memory_bytes <= 0)
    throw UsageError(
        "how much memory a rank has is not known here; `bench plan --memory` takes it");
  if (expand(options).size() > 1)
    throw UsageError(
        "a layout is planned for one choice: give one --variant an op and one --axis a key");
  std::vector<Layout> layouts;
  for (int tp = 1; tp <= question.ranks; ++tp) {
    if (question.ranks % tp != 0 || !is_asked(options, "tp", tp)) continue;
    const int of_each = question.ranks / tp;
    for (int pp = 1; pp <= of_each; ++pp) {
      if (of_each % pp != 0 || !is_asked(options, "pp", pp)) continue;
      const int dp = of_each / pp;
      if (!is_asked(options, "dp", dp)) continue;
      Layout division;
      division.tp = tp;
      division.pp = pp;
      division.dp = dp;
      division.sequence_parallel = tp > 1;
      layouts.push_back(least_remedy(plugin, options, inputs, question, division));
    }
  }
  if (layouts.empty())
    throw UsageError(
        fmt::format("--tp, --pp and --dp as given do not multiply to {} ranks", question.ranks));
  std::stable_sort(layouts.begin(), layouts.end(), [&](const Layout& a, const Layout& b) {
    return order_of(a, inputs.ranks_per_host) < order_of(b, inputs.ranks_per_host);
  });
  return layouts;
}

OptionSet with_layout(const OptionSet& options, const Layout& layout) {
  OptionSet mine;
  const auto set = [&](const char* name, const std::string& text) {
    mine.set(name, text, "layout");
  };
  set("tp", std::to_string(layout.tp));
  set("pp", std::to_string(layout.pp));
  set("dp", std::to_string(layout.dp));
  set("zero", std::to_string(layout.zero));
  set("recompute", layout.recompute);
  if (layout.sequence_parallel) set("sequence-parallel", "true");
  mine.fill_from(options);
  mine.remove("layout");
  return mine;
}

Layout best_layout(Plugin& plugin, const OptionSet& options, const PlanInputs& inputs, int ranks) {
  const LayoutQuestion question{.ranks = ranks,
                                .memory_bytes = static_cast<double>(inputs.memory_bytes)};
  const std::vector<Layout> layouts = plan_layouts(plugin, options, inputs, question);
  if (layouts.front().why_not.empty()) return layouts.front();
  const auto misses = [](const Layout& layout) {
    return layout.memory.empty() ? std::numeric_limits<double>::infinity() : layout.memory_bytes;
  };
  const Layout& nearest =
      *std::min_element(layouts.begin(), layouts.end(),
                        [&](const Layout& a, const Layout& b) { return misses(a) < misses(b); });
  throw UsageError(fmt::format(
      "--layout auto: no layout of {} ranks fits; the nearest is {}: {}; `bench plan --ranks {} "
      "--memory {:.0f}` with the same options lists all",
      ranks, text_of(nearest), nearest.why_not, ranks, question.memory_bytes));
}

std::string text_of(const Layout& layout) {
  return fmt::format("tp {} x pp {} x dp {}{}{}{}", layout.tp, layout.pp, layout.dp,
                     layout.sequence_parallel ? ", sequence parallel" : "",
                     layout.zero > 0 ? fmt::format(", zero {}", layout.zero) : "",
                     layout.recompute != "none" ? ", recompute " + layout.recompute : "");
}

std::string memory_text(double bytes) {
  constexpr double kMebi = 1 << 20, kGibi = 1 << 30;
  return bytes < kGibi ? fmt::format("{:.1f} MiB", bytes / kMebi)
                       : fmt::format("{:.2f} GiB", bytes / kGibi);
}

}  // namespace bench::runner
