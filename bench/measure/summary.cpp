#include "bench/measure/summary.h"

#include <algorithm>
#include <array>

namespace bench::measure {
namespace {

constexpr size_t kSamplesForP95 = 200, kSamplesForP99 = 1000;

// From the least to the most certain: the summary says the least certain of its rounds.
constexpr std::array<const char*, 5> kReasons = {"timeout", "max_time", "max_samples", "converged",
                                                 "fixed"};

std::string least_certain(std::span<const RoundSamples> rounds) {
  for (const char* reason : kReasons) {
    for (const RoundSamples& round : rounds) {
      if (round.stop_reason == reason) return reason;
    }
  }
  return {};
}

void set_percentiles(schema::TimeSummary& t, std::span<const double> ascending) {
  t.min = ascending.front();
  t.p5 = quantile_of_sorted(ascending, 0.05);
  t.p25 = quantile_of_sorted(ascending, 0.25);
  t.p75 = quantile_of_sorted(ascending, 0.75);
  if (ascending.size() >= kSamplesForP95) t.p95 = quantile_of_sorted(ascending, 0.95);
  if (ascending.size() >= kSamplesForP99) t.p99 = quantile_of_sorted(ascending, 0.99);
  t.max = ascending.back();
  t.ci95 = median_interval_of_sorted(ascending);
}

}  // namespace

schema::TimeSummary summarize(std::span<const RoundSamples> rounds, const Plan& plan,
                              const Settings& settings, std::string mode) {
  std::vector<double> all, medians;
  for (const RoundSamples& round : rounds) {
    if (round.slowest_s.empty()) continue;
    all.insert(all.end(), round.slowest_s.begin(), round.slowest_s.end());
    medians.push_back(median_of(round.slowest_s));
  }
  schema::TimeSummary t;
  t.n = static_cast<int64_t>(all.size());
  t.block = plan.block;
  t.repetitions = static_cast<int64_t>(medians.size());
  t.stop_reason = least_certain(rounds);
  t.sync = settings.start_barrier ? "barrier" : "none";
  if (settings.timer != nullptr && settings.timer->aligns()) t.sync = "device";
  t.mode = std::move(mode);
  t.clock = settings.timer != nullptr ? settings.timer->clock() : "host";
  t.warm_up = plan.warm_up_s;
  if (all.empty()) return t;
  t.median = median_of(medians);
  t.mean = mean_of(all);
  t.sd = standard_deviation_of(all);
  t.mad = median_absolute_deviation_of(all);
  t.first_call = plan.first_call_s;
  t.drift = drift_of(all);
  set_percentiles(t, sorted(all));
  return t;
}

schema::RanksTime summarize_ranks(std::span<const RoundSamples> rounds, Communicator& comm) {
  schema::RanksTime ranks;
  ranks.median.resize(static_cast<size_t>(comm.size()));
  ranks.last_rank_histogram.resize(static_cast<size_t>(comm.size()));
  std::vector<double> own, fastest, skew;
  for (const RoundSamples& round : rounds) {
    own.insert(own.end(), round.own_s.begin(), round.own_s.end());
    fastest.insert(fastest.end(), round.fastest_s.begin(), round.fastest_s.end());
    for (size_t i = 0; i < round.slowest_s.size(); ++i)
      skew.push_back(round.slowest_s[i] - round.fastest_s[i]);
    for (const int32_t last : round.last_rank)
      ++ranks.last_rank_histogram.at(static_cast<size_t>(last));
  }
  const double own_median = median_of(own);
  comm.all_gather(Stream{}, &own_median, ranks.median.data(), 1, DType::f64);
  if (skew.empty()) return ranks;
  ranks.min_over_ranks = median_of(fastest);
  ranks.skew_median = median_of(skew);
  return ranks;
}

}  // namespace bench::measure
