#pragma once
// Which layouts of a training step over so many ranks fit into their memory: the training plugin is
// asked for each one's memory, which it tells from sizes alone, before anything is allocated.

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "bench/runner/case_plan.h"

namespace bench::runner {

// The plugin whose cases have a layout that can be planned.
inline constexpr std::string_view kTrainingPlugin = "train";

// Of the set "plan" a plugin's training cases have their memory on a rank in parts, as parameters
// "memory.<part>" in bytes.
inline constexpr const char* kPlanSet = "plan";
inline constexpr const char* kMemoryParts[] = {"parameters", "gradients", "optimizer",
                                               "activations", "buffers"};

struct Layout {
  int tp = 1, pp = 1, dp = 1;
  bool sequence_parallel = false;
  int zero = 0;
  std::string recompute = "none";
  double memory_bytes = 0;               // of the rank that needs most
  std::map<std::string, double> memory;  // its parts, by kMemoryParts
  std::string why_not;                   // empty: it fits
};

struct LayoutQuestion {
  int ranks = 1;
  double memory_bytes = 0;  // of a rank
};

// Each way to divide the ranks into tensor, pipeline and data parallel ones, with the least that
// makes it fit: first the optimizer's state spread (ZeRO stage 1), then activations recomputed; or
// else why it cannot run. What `options` say is not varied. Those that fit come first, the best
// first: least recomputed, tensor parallel inside a host alone, few pipeline stages, few tensor
// ranks (Narayanan 2021, section 3). Throws UsageError where the options fit no layout's.
std::vector<Layout> plan_layouts(Plugin& plugin, const OptionSet& options, const PlanInputs& inputs,
                                 const LayoutQuestion& question);

// The options that choose a layout, over `options`.
OptionSet with_layout(const OptionSet& options, const Layout& layout);

// What "--layout auto" takes. Throws UsageError when none fits.
Layout best_layout(Plugin& plugin, const OptionSet& options, const PlanInputs& inputs, int ranks);

// "tp 2 x pp 1 x dp 4, sequence parallel, zero 1, recompute full"
std::string text_of(const Layout& layout);

// "12.3 GiB"
std::string memory_text(double bytes);

}  // namespace bench::runner
