#pragma once
// Pairs of samples between two of a ceiling: flank, case, case, flank. A memory's speed may change
// within seconds; inside a group it has not when the two flanks agree, and a drift that is even
// over the group cancels in the ratio of the two means.

#include <cstdint>
#include <span>
#include <string>

#include "bench/measure/sampler.h"
#include "reports/schema/report.h"

namespace bench::measure {

inline constexpr int64_t kSamplesOfGroup = 4;
// The slower of two flanks takes at most so many times as long as the faster one.
inline constexpr double kFlanksAgreeWithin = 1.2;

// Takes the groups of a block (from Sampler::take_groups) into the round: the two times of the case
// become samples and the group is kept, or all of it is dropped and counted. Decided from the
// slowest rank's times, so that every rank decides alike. Returns how many were kept.
int64_t take_groups(const Block& block, int own_rank, RoundSamples& round);

// Ratios of rates inside groups: (bytes / time) of the case over (flank_bytes / time) of the flank
// `by`. Empty when no group was kept.
std::optional<schema::Flanked> summarize_flanked(std::span<const RoundSamples> rounds,
                                                 std::string by, double bytes, double flank_bytes);

}  // namespace bench::measure
