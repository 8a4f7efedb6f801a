#pragma once
// What the report says of kernels: how near the machine's limits they come, which variant of one is
// faster, and how much of a training step they make up. Ratios are formed inside rounds.

#include <string>
#include <vector>

#include "reports/schema/values.h"

namespace bench::schema {

// A case against both ceilings of its rounds (Williams 2009: the roofline model). Empty numbers:
// the case declares no such work, or the run has no such ceiling. Medians over rounds.
struct Roofline {
  Number intensity_flops_per_byte;        // declared FLOPs over declared bytes
  Number ridge_flops_per_byte;            // GEMM ceiling over stream ceiling
  Number gemm_fraction, stream_fraction;  // of the ceilings; flanked: the latter of the flank
  std::string stream_pattern;             // of the stream it is held against; "" without one
  std::string limit;  // gemm or stream: the one whose fraction is larger; "" where one is missing
  // Shortest time the limits allow, max(FLOPs / GEMM ceiling, bytes / stream ceiling), over the
  // time taken.
  Number of_limit;
};

// Over rounds: median, lowest and highest.
struct RatioOverRounds {
  double median = 0, low = 0, high = 0;
};

struct ComparedVariant {
  std::string variant;
  Outcome outcome = Outcome::skipped;
  Number time_s;                         // only when measured
  std::optional<RatioOverRounds> ratio;  // baseline's time over this one's: > 1 is faster
};

// Cases that differ in the parameter `variant` alone, in the plan's order. The baseline is the
// first that was measured, else the first.
struct Comparison {
  std::string name, dtype;
  int ranks = 1;
  Params params;  // those they share
  std::string baseline_variant;
  std::vector<ComparedVariant> variants;
};

struct ClosurePart {
  std::string case_name;
  Params params;
  double per_step = 0;  // iterations in one optimizer step
  Number time_s;        // of one iteration
  Number total_s;       // per_step x time_s
  Number fraction;      // of the step
};

// A training step beside the kernels it consists of, each timed alone at the step's shapes.
struct Closure {
  std::string case_name, dtype, model;
  int ranks = 1;
  Number step_s;
  Number kernels_s;         // sum of the parts
  Number kernels_fraction;  // of the step
  Interval kernels_fraction_over_rounds;
  Number remainder_s;  // step - kernels; below 0 where kernels alone are slower than in the step
  std::vector<ClosurePart> parts;
  std::vector<std::string> missing;  // kernels of the step that have no time in this report
};

}  // namespace bench::schema
