#pragma once
// Rates from declared work and measured time.

#include "reports/schema/report.h"

namespace bench::reports {

// Empty where the case was not measured or declares no such work. TFLOP/s and GB/s are one rank's,
// tokens/s are all ranks'; algorithm and bus bandwidth as nccl-tests defines them.
schema::Rates derive_rates(const schema::CaseResult& result);

}  // namespace bench::reports
