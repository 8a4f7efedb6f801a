#pragma once
// From samples to the numbers of a report.

#include <span>
#include <string>
#include <vector>

#include "bench/measure/protocol.h"
#include "bench/measure/statistics.h"
#include "reports/schema/report.h"

namespace bench::measure {

// Rounds of one case, same plan, in order. Empty rounds are left out.
schema::TimeSummary summarize(std::span<const RoundSamples> rounds, const Plan& plan,
                              const Settings& settings, std::string mode);

// Who was slow. Collective over comm (gathers each rank's median); the same on every rank.
schema::RanksTime summarize_ranks(std::span<const RoundSamples> rounds, Communicator& comm);

}  // namespace bench::measure
