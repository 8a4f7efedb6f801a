#pragma once
// A small report made by hand: one rank against two, with ceilings, as a run of the suite `scaling`
// leaves it.

#include <string>
#include <vector>

#include "reports/schema/report.h"

namespace bench::test {

// A measured case whose rounds took these seconds.
schema::CaseResult measured_case(const std::string& name, int ranks,
                                 const std::vector<double>& rounds_s);

// A ceiling case: `amount` FLOPs or bytes ("gemm", "copy").
schema::CaseResult ceiling_case(const std::string& what, int ranks, double amount,
                                const std::vector<double>& rounds_s);

// Adds a training case as a point of the curve, with the facts of its model.
void add_step(schema::Report& report, const std::string& point, const std::string& model, int ranks,
              int tp, double batch, const std::vector<double>& rounds_s);

// A kernel of the f32 step of megatron-mini-mp1, with the parameters that say so: it runs
// `per_step` times in a step.
schema::CaseResult kernel_case(const std::string& name, double per_step,
                               const std::vector<double>& rounds_s);

// Two points: megatron-mini-mp1 on 1 rank (0.5 s a step) and megatron-mini-mp2 on 2 ranks (0.6 s),
// both batch 8.
schema::Report sample_report();
schema::ScalingPlan sample_plan();

}  // namespace bench::test
