#include "reports/derive/rounds.h"

#include <algorithm>
#include <vector>

namespace bench::reports {

ByRound times_by_round(const schema::CaseResult& result) {
  ByRound times;
  if (result.outcome != schema::Outcome::measured || !result.time_s) return times;
  for (const schema::Round& round : result.rounds)
    if (round.n > 0 && round.median_s > 0) times[round.index] = round.median_s;
  return times;
}

ByRound rates_by_round(const schema::CaseResult& result, double amount) {
  ByRound rates;
  for (const auto& [round, seconds] : times_by_round(result)) rates[round] = amount / seconds;
  return rates;
}

double median_of(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const size_t half = values.size() / 2;
  return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

OverRounds over_rounds(const ByRound& figures) {
  std::vector<double> values;
  for (const auto& [round, figure] : figures) values.push_back(figure);
  if (values.empty()) return {};
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  return {.median = median_of(values), .range = {.low = *low, .high = *high}};
}

ByRound quotients(const ByRound& numerator, const ByRound& denominator, double factor) {
  ByRound found;
  for (const auto& [round, above] : numerator)
    if (const auto below = denominator.find(round); below != denominator.end() && below->second > 0)
      found[round] = factor * above / below->second;
  return found;
}

OverRounds ratio_over_rounds(const ByRound& numerator, const ByRound& denominator, double factor) {
  return over_rounds(quotients(numerator, denominator, factor));
}

}  // namespace bench::reports
