#pragma once
// Sums and copies of our own all-reduce algorithms, in the memory of the case's device. Each
// flavour of the plugin has its own file.

#include <memory>

#include "bench/device/context.h"
#include "parallel/comm/algorithms/local_work.h"

namespace bench::collectives {

// `context` outlives it.
std::shared_ptr<algorithms::LocalWork> local_work(const Context& context);

}  // namespace bench::collectives
