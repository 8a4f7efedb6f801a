#pragma once
// Scaling curves: efficiencies formed inside rounds, three kinds of them, labelled.

#include "reports/schema/report.h"

namespace bench::reports {

// Needs report.cases, report.training and the ceiling cases. Every planned point appears, also
// those without a measurement. Efficiencies against the plan's baseline point:
//   flops       (hardware_full_recompute FLOP/s per rank at n) / (the same at the baseline)
//   parameters  (P_n B_n / (n T_n)) / (P_1 B_1 / (1 T_1)), P by the formula of the published tables
//   time        (B_n / (n T_n)) / (B_1 / (1 T_1)), same model only: T_1/T_n in the weak form,
//   speed-up/n in the strong
schema::Scaling derive_scaling(const schema::ScalingPlan& plan, const schema::Report& report);

// The training facts of a case, or nullptr.
const schema::TrainingRun* training_of(const schema::Report& report,
                                       const schema::CaseResult& result);

}  // namespace bench::reports
