#pragma once
// How much of a training step its kernels explain, each timed alone at the step's shapes.

#include <vector>

#include "reports/schema/report.h"

namespace bench::reports {

// One for every measured training case that has kernels beside it, without tensor or pipeline
// parallelism (kernels run at the shapes of an undivided layer), of one micro-batch and without
// recomputation (either runs a kernel more often than `per_step` says). A kernel takes part when it
// says how often it runs in a step (parameter `per_step`), names the same `model`, has the same
// dtype and ranks, is not cold, and its shape does not contradict the step's (`n` rows, `batch`,
// `seq`, `heads`, `h`). Of several variants of one kernel the one without a name counts, else the
// first.
std::vector<schema::Closure> derive_closure(const schema::Report& report);

}  // namespace bench::reports
