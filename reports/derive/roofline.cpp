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

Roofline roofline_of(const CaseResult& c, const schema::Report& report, bool flops, bool bytes) {
  const ByRound gemm = gemm_rates(report, c.ranks, c.dtype);
  const ByRound stream = copy_rates(report, c.ranks, c.dtype, pattern_of(c));
  Roofline r;
  r.ridge_flops_per_byte = ratio_over_rounds(gemm, stream).median;
  r.gemm_fraction = c.of_ceiling.gemm;
  r.stream_fraction = c.of_ceiling.copy;
  ByRound of_gemm, of_stream;
  if (flops) of_gemm = quotients(rates_by_round(c, *c.work.flops), gemm);
  if (bytes) {
    of_stream = quotients(rates_by_round(c, *c.work.bytes), stream);
    r.stream_pattern = stream_pattern(report, c.ranks, c.dtype, pattern_of(c));
  }
  if (flops && bytes) {
    r.intensity_flops_per_byte = *c.work.flops / *c.work.bytes;
    r.of_limit = over_rounds(larger(of_gemm, of_stream)).median;
  } else {
    r.of_limit = over_rounds(flops ? of_gemm : of_stream).median;
  }
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
