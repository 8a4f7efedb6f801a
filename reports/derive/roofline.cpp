#include "reports/derive/roofline.h"

#include <algorithm>

#include "reports/derive/ceilings.h"
#include "reports/derive/rounds.h"

namespace bench::reports {
namespace {

using schema::CaseResult;
using schema::Number;
using schema::Roofline;

// In each round that has both, the larger: what asks for more time is the nearer limit.
ByRound larger(const ByRound& a, const ByRound& b) {
  ByRound found;
  for (const auto& [round, figure] : a)
    if (const auto other = b.find(round); other != b.end())
      found[round] = std::max(figure, other->second);
  return found;
}

// What the case is held against for its bytes: the share it reached in each round, and of which
// access pattern.
struct Stream {
  ByRound fractions;
  std::string pattern;
};

// A flank was timed around every pair of samples: nearer than any ceiling of the round.
Stream flank_of(const CaseResult& c, const schema::Report& report) {
  Stream stream;
  const std::vector<Number>& ratios = c.flanked->ratio_by_round;
  for (size_t i = 0; i < std::min(ratios.size(), c.rounds.size()); ++i)
    if (ratios[i]) stream.fractions[c.rounds[i].index] = *ratios[i];
  for (const CaseResult& other : report.cases)
    if (other.name == c.flanked->by) stream.pattern = pattern_of(other);
  return stream;
}

Stream stream_of(const CaseResult& c, const schema::Report& report, const ByRound& rates) {
  if (c.flanked) return flank_of(c, report);
  return {.fractions = quotients(rates_by_round(c, *c.work.bytes), rates),
          .pattern = stream_pattern(report, c.ranks, c.dtype, pattern_of(c))};
}

Roofline roofline_of(const CaseResult& c, const schema::Report& report, bool flops, bool bytes) {
  const ByRound gemm_rate = gemm_rates(report, c.ranks, c.dtype);
  const ByRound stream_rate = copy_rates(report, c.ranks, c.dtype, pattern_of(c));
  ByRound gemm;
  Stream stream;
  if (flops) gemm = quotients(rates_by_round(c, *c.work.flops), gemm_rate);
  if (bytes) stream = stream_of(c, report, stream_rate);
  Roofline r;
  if (flops && bytes) r.intensity_flops_per_byte = *c.work.flops / *c.work.bytes;
  r.ridge_flops_per_byte = ratio_over_rounds(gemm_rate, stream_rate).median;
  r.gemm_fraction = over_rounds(gemm).median;
  r.stream_fraction = over_rounds(stream.fractions).median;
  r.stream_pattern = stream.pattern;
  const ByRound of_limit = !bytes  ? gemm
                           : flops ? larger(gemm, stream.fractions)
                                   : stream.fractions;
  r.of_limit = over_rounds(of_limit).median;
  if (r.of_limit)
    r.limit = r.gemm_fraction.value_or(-1) >= r.stream_fraction.value_or(-1) ? "gemm" : "stream";
  return r;
}

}  // namespace

void derive_roofline(schema::Report& report) {
  for (CaseResult& c : report.cases) {
    c.roofline.reset();
    const bool flops = c.work.flops.value_or(0) > 0, bytes = c.work.bytes.value_or(0) > 0;
    if (c.outcome == schema::Outcome::measured && (flops || bytes))
      c.roofline = roofline_of(c, report, flops, bytes);
  }
}

}  // namespace bench::reports
