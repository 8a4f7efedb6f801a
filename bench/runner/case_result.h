#pragma once
// A case of the plan, and what a session knows of it, as the report's CaseResult.

#include <string>

#include "bench/runner/case_state.h"

namespace bench::runner {

// The values that stand in the plan already: every planned case appears, whatever happens.
schema::CaseResult planned_result(const PlannedCase& planned, const std::string& device_asked);

// After a round, or the end of the case. `settings` are those its rounds were run with.
schema::CaseResult result_of(const CaseState& state, const measure::Settings& settings,
                             const std::string& device_asked);

}  // namespace bench::runner
