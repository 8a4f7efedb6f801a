#pragma once
// Scaling curves: efficiencies formed inside rounds, three kinds of them, labelled.

#include "reports/schema/report.h"

namespace bench::reports {

// Needs report.cases, report.training and the ceiling cases. Every planned point appears, also
// those without a measurement. Efficiencies against the plan's baseline point (F FLOPs, P
// parameters, B sequences, n ranks, T time):
//   flops       (F_n / (n T_n)) / (F_1 / T_1) with hardware_full_recompute, as the paper's 76 %
//   counts parameters  (P_n B_n / (n T_n)) / (P_1 B_1 / T_1), P by the formula of the published
//   tables time        (B_n / (n T_n)) / (B_1 / T_1), same model only: T_1/T_n in the weak form,
//   speed-up/n in the strong
schema::Scaling derive_scaling(const schema::ScalingPlan& plan, const schema::Report& report);

}  // namespace bench::reports
