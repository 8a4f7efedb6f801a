#pragma once
// The machine's own limits, from the ceiling cases of the same run, round by round.

#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "reports/schema/report.h"

namespace bench::reports {

// Round index -> rate of one rank: best over the ceiling cases of that round. Empty: no such
// ceiling.
using RateByRound = std::map<int, double>;

// FLOP/s of the best GEMM with `ranks` ranks at work.
RateByRound gemm_rates(const schema::Report& report, int ranks, const std::string& dtype);

// Bytes/s of the best stream with `ranks` ranks at work: of those with this access `pattern` where
// there are such, else of all; of this dtype where there are such, else of all.
RateByRound copy_rates(const schema::Report& report, int ranks, const std::string& dtype,
                       const std::string& pattern);

// A rate that moved by more than a tenth between rounds.
bool is_unsteady(const RateByRound& rates);

// One entry per rank, rank count and dtype.
std::vector<schema::Ceiling> derive_ceilings(const schema::Report& report);

// Fills of_ceiling of every measured case (ratio inside each round, median over rounds) and the
// flag `unsteady` where the ceiling was.
void derive_of_ceiling(schema::Report& report);

}  // namespace bench::reports
