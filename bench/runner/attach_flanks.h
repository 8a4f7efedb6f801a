#pragma once
// The ceilings that cases want around their samples, found in their plugins' set "ceilings".

#include "bench/runner/case_plan.h"

namespace bench::runner {

// Cases of one plugin and like requests share a flank. A case whose flank cannot run here cannot
// run either and says so. Throws EnvironmentError where a plugin names what it does not have, or
// leaves bytes undeclared.
void attach_flanks(CasePlan& plan);

}  // namespace bench::runner
