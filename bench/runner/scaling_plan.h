#pragma once
// Lays out the points of scaling curves: which model, batch and layout at how many ranks.

#include <string>
#include <vector>

#include "bench/runner/case_plan.h"

namespace bench::runner {

// Adds the points of every curve to plan.cases and the curves themselves to plan.curves. A point
// that cannot be laid out (heads not divisible …) is left out with a note, unless the user asked
// for that layout (UsageError).
void add_scaling(const ScalingSpec& spec, const OptionSet& options, const std::string& suite,
                 PluginSet& plugins, const PlanInputs& inputs, CasePlan& plan);

// The request for one of a plugin's case sets.
Request make_request(const OptionSet& options, const std::string& suite, const std::string& set,
                     int ranks, const PlanInputs& inputs);

// Tensor-parallel ranks at n ranks: the largest power of two that divides n, fits in a host and the
// limit.
int default_tensor_parallel(int n, int ranks_per_host, int limit);

}  // namespace bench::runner
