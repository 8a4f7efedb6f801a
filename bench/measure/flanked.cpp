#include "bench/measure/flanked.h"

#include <algorithm>
#include <vector>

#include "bench/measure/statistics.h"

namespace bench::measure {
namespace {

std::vector<double> ratios_of(const RoundSamples& round, double work) {
  std::vector<double> ratios;
  ratios.reserve(round.groups.size());
  for (const FlankedGroup& group : round.groups)
    ratios.push_back(work * group.flank_s / group.case_s);
  return ratios;
}

schema::RatioSummary summarize_ratios(std::vector<double> ratios) {
  std::sort(ratios.begin(), ratios.end());
  return {.median = quantile_of_sorted(ratios, 0.5),
          .ci95 = median_interval_of_sorted(ratios),
          .min = ratios.front(),
          .p25 = quantile_of_sorted(ratios, 0.25),
          .p75 = quantile_of_sorted(ratios, 0.75),
          .max = ratios.back()};
}

}  // namespace

int64_t take_groups(const Block& block, int own_rank, RoundSamples& round) {
  int64_t kept = 0;
  const auto slowest = [&](int64_t sample) {
    return block.of_rank(block.slowest_rank(sample))[static_cast<size_t>(sample)];
  };
  for (int64_t first = 0; first < block.samples; first += kSamplesOfGroup) {
    const auto [fast, slow] = std::minmax({slowest(first), slowest(first + 3)});
    if (slow > kFlanksAgreeWithin * fast) {
      ++round.dropped_groups;
      continue;
    }
    block.append_sample_to(round, own_rank, first + 1);
    block.append_sample_to(round, own_rank, first + 2);
    round.groups.push_back(
        {.case_s = (slowest(first + 1) + slowest(first + 2)) / 2, .flank_s = (fast + slow) / 2});
    ++kept;
  }
  return kept;
}

std::optional<schema::Flanked> summarize_flanked(std::span<const RoundSamples> rounds,
                                                 std::string by, double bytes, double flank_bytes) {
  schema::Flanked flanked;
  flanked.by = std::move(by);
  std::vector<double> all, flank_s;
  for (const RoundSamples& round : rounds) {
    const std::vector<double> ratios = ratios_of(round, bytes / flank_bytes);
    flanked.dropped += round.dropped_groups;
    flanked.ratio_by_round.push_back(ratios.empty() ? schema::Number() : median_of(ratios));
    all.insert(all.end(), ratios.begin(), ratios.end());
    for (const FlankedGroup& group : round.groups) flank_s.push_back(group.flank_s);
  }
  if (all.empty()) return {};
  flanked.n = static_cast<int64_t>(all.size());
  flanked.ratio = summarize_ratios(std::move(all));
  flanked.flank_time_s = median_of(flank_s);
  return flanked;
}

}  // namespace bench::measure
