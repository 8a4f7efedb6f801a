#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "bench/app/choose_device.h"
#include "bench/app/commands.h"
#include "bench/app/setup.h"
#include "bench/runner/layout_planner.h"

namespace bench::app {
namespace {

using nlohmann::ordered_json;
using runner::Layout;

ordered_json json_of(const Layout& layout) {
  const bool fits = layout.why_not.empty();
  ordered_json one = {{"tp", layout.tp},
                      {"pp", layout.pp},
                      {"dp", layout.dp},
                      {"sequence_parallel", layout.sequence_parallel},
                      {"zero", layout.zero},
                      {"recompute", layout.recompute},
                      {"fits", fits},
                      {"reason", fits ? ordered_json() : ordered_json(layout.why_not)},
                      {"memory_bytes", layout.memory_bytes},
                      {"memory", layout.memory}};
  return one;
}

std::string row_of(const Layout& layout) {
  std::string row =
      fmt::format("  {:>4} {:>4} {:>5}  {:<8} {:>4}  {:<9}  ", layout.tp, layout.pp, layout.dp,
                  layout.sequence_parallel ? "yes" : "no", layout.zero, layout.recompute);
  if (layout.memory.empty()) return row + layout.why_not + "\n";
  row += fmt::format("{:>10}", runner::memory_text(layout.memory_bytes));
  for (const char* part : runner::kMemoryParts)
    row += fmt::format(" {:>11}", runner::memory_text(layout.memory.at(part)));
  return row + (layout.why_not.empty() ? "\n" : "  " + layout.why_not + "\n");
}

std::string heading() {
  std::string text = fmt::format("  {:>4} {:>4} {:>5}  {:<8} {:>4}  {:<9}  {:>10}", "tp", "pp",
                                 "dp", "sequence", "zero", "recompute", "of a rank");
  for (const char* part : runner::kMemoryParts) text += fmt::format(" {:>11}", part);
  return text + "\n";
}

std::string text_of(const std::vector<Layout>& layouts, const std::string& model,
                    const runner::LayoutQuestion& question) {
  std::string fitting, others;
  for (const Layout& layout : layouts)
    (layout.why_not.empty() ? fitting : others) += row_of(layout);
  std::string text = fmt::format("{} on {} ranks with {} each\n", model, question.ranks,
                                 runner::memory_text(question.memory_bytes));
  text += fitting.empty() ? "no layout fits\n"
                          : "layouts that fit, the best first\n" + heading() + fitting;
  if (!others.empty()) text += "layouts that do not\n" + heading() + others;
  return text;
}

}  // namespace

ExitCode plan_command(const runner::CommandLine& line) {
  const runner::Paths paths = runner::find_paths();
  const Place place = take_place(line.options);
  const auto world = make_single_world();
  const ChosenDevice chosen = choose_device(line.options, place, paths);
  NullTracer tracer;
  runner::PluginSet plugins = load_plugins(line.options, paths, chosen.ran, Log(), tracer);
  const int on_a_host = std::min(
      line.plan.ranks, line.plan.ranks_per_host > 0 ? line.plan.ranks_per_host : line.plan.ranks);
  const runner::PlanInputs inputs = plan_inputs(line.options, *chosen.device, *world, on_a_host);
  // This process has all of a CPU's memory, which the ranks of a run share.
  const uint64_t here =
      inputs.memory_bytes / static_cast<uint64_t>(inputs.device == "cpu" ? on_a_host : 1);
  const runner::LayoutQuestion question{
      .ranks = line.plan.ranks,
      .memory_bytes =
          static_cast<double>(line.plan.memory_bytes > 0 ? line.plan.memory_bytes : here)};
  const std::vector<Layout> layouts =
      runner::plan_layouts(plugins.need(std::string(runner::kTrainingPlugin), inputs.device),
                           line.options, inputs, question);
  if (line.json) {
    ordered_json list = ordered_json::array();
    for (const Layout& layout : layouts) list.push_back(json_of(layout));
    const ordered_json all = {
        {"ranks", question.ranks}, {"memory_bytes", question.memory_bytes}, {"layouts", list}};
    fmt::print("{}\n", all.dump(2));
  } else {
    fmt::print("{}", text_of(layouts, line.options.text("model", "the default model"), question));
  }
  return layouts.front().why_not.empty() ? ExitCode::kDone : ExitCode::kFailedVerdict;
}

}  // namespace bench::app
