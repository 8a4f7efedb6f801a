#pragma once
// The machine's own limits, from the ceiling cases of the same run, round by round.

#include <string>
#include <vector>

#include "reports/derive/rounds.h"
#include "reports/schema/report.h"

namespace bench::reports {

// FLOP/s of one rank at the best GEMM of each round, with `ranks` ranks at work.
ByRound gemm_rates(const schema::Report& report, int ranks, const std::string& dtype);

// Bytes/s of one rank at the best stream of each round, with `ranks` ranks at work: of the streams
// with this access pattern where there are such, else of the copies, else of all; of this dtype
// where there are such, else of all.
ByRound copy_rates(const schema::Report& report, int ranks, const std::string& dtype,
                   const std::string& pattern);

// The access pattern of those streams; "" where there is none, or where they differ.
std::string stream_pattern(const schema::Report& report, int ranks, const std::string& dtype,
                           const std::string& pattern);

// The parameter that names a case's access pattern, or "".
std::string pattern_of(const schema::CaseResult& result);

// A rate that moved by more than a tenth between rounds.
bool is_unsteady(const ByRound& rates);

// One entry per rank, rank count and dtype.
std::vector<schema::Ceiling> derive_ceilings(const schema::Report& report);

// Fills of_ceiling of every measured case (ratio inside each round, median over rounds) and sets
// the flag `unsteady` where the ceiling moved; a case with a flank does not depend on the copy.
void derive_of_ceiling(schema::Report& report);

}  // namespace bench::reports
