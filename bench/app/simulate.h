#pragma once
// --simulate: all-reduces on ranks that are not there.

#include "bench/runner/options.h"
#include "reports/schema/simulation.h"

namespace bench::app {

// Every algorithm at the sizes of --axis bytes=…, or at powers of two from 8 B to 64 MiB. Throws
// UsageError naming the key of --simulate that is unknown, missing or no number.
schema::Simulation simulate_all_reduces(const runner::OptionSet& options);

}  // namespace bench::app
