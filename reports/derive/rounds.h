#pragma once
// Ratios inside rounds: what was measured minutes apart is never divided.

#include <map>

#include "reports/schema/report.h"

namespace bench::reports {

using ByRound = std::map<int, double>;  // round index -> a figure of that round

// Seconds of one iteration, each round's median. Empty where the case was not measured.
ByRound times_by_round(const schema::CaseResult& result);

// `amount` per second in each round.
ByRound rates_by_round(const schema::CaseResult& result, double amount);

double median_of(std::vector<double> values);  // of at least one value

struct OverRounds {
  schema::Number median;   // empty: there is no round
  schema::Interval range;  // lowest and highest
};

OverRounds over_rounds(const ByRound& figures);

// factor * numerator / denominator, in each round that has both.
ByRound quotients(const ByRound& numerator, const ByRound& denominator, double factor = 1);

// The quotients over rounds.
OverRounds ratio_over_rounds(const ByRound& numerator, const ByRound& denominator,
                             double factor = 1);

}  // namespace bench::reports
