#pragma once
// From suites to the list of cases that all ranks will run: the plugins are asked, filters are
// applied, scaling curves are laid out. Pure in its inputs, so that every rank makes the same list.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "bench/runner/loader.h"
#include "bench/runner/suite.h"

namespace bench::runner {

struct PlannedCase {
  Plugin* plugin = nullptr;
  Request request;
  CaseSpec spec;
  std::string suite;
  int ranks = 1;                             // world ranks 0 … ranks-1 run it
  bool ceiling = false;                      // added by the host
  std::string scaling_point;                 // id of the point of a curve, or empty
  std::shared_ptr<const PlannedCase> flank;  // timed around its samples, or null; cases share one
};

struct CasePlan {
  std::vector<PlannedCase> cases;
  std::vector<schema::ScalingPlan> curves;
  std::vector<std::string> notes;  // what was decided here, for the report

  // Everything the ranks must agree on.
  uint64_t hash() const;
};

// What the plan depends on beside the suites.
struct PlanInputs {
  OptionSet options;  // command line over suite defaults is formed here, per suite
  std::string device = "cpu";
  int world_size = 1;
  int ranks_per_host = 1;  // smallest number of ranks a host has
  int threads = 1;
  uint64_t last_level_cache_bytes = 0;
  uint64_t memory_bytes = 0;  // of a rank
  // What that many ranks communicate over, where that is a choice: the parameter "comm" of cases
  // that communicate. Empty: no such parameter.
  std::function<std::string(int ranks)> comm_label;
};

// Throws UsageError: bad regular expression, filter that matches nothing, impossible layout.
CasePlan make_plan(const std::vector<Suite>& suites, PluginSet& plugins, const PlanInputs& inputs);

// Ranks of a scaling curve: powers of two up to n, and n itself.
std::vector<int> scaling_ranks(int n);

}  // namespace bench::runner
