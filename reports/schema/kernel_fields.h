#pragma once
// fields.h goes on: what the report says of kernels. Private to this folder.

#include "reports/schema/fields.h"
#include "reports/schema/kernels.h"

namespace bench::schema {

void fields(auto& v, Is<Roofline> auto& x) {
  v("intensity_flops_per_byte", x.intensity_flops_per_byte);
  v("ridge_flops_per_byte", x.ridge_flops_per_byte);
  v("gemm_fraction", x.gemm_fraction);
  v("stream_fraction", x.stream_fraction);
  v.nullable("stream_pattern", x.stream_pattern);
  v.nullable("limit", x.limit);
  v("of_limit", x.of_limit);
}

void fields(auto& v, Is<RatioOverRounds> auto& x) {
  v("median", x.median);
  v("low", x.low);
  v("high", x.high);
}

void fields(auto& v, Is<PairSize> auto& x) {
  v("bytes", x.bytes);
  v("seconds", x.seconds);
}

void fields(auto& v, Is<Pairs> auto& x) {
  v("sizes", x.sizes);
  v("verdict", x.verdict);
  v("findings", x.findings);
}

void fields(auto& v, Is<FittedLink> auto& x) {
  v("kind", x.kind);
  v("alpha_s", x.alpha_s);
  v("beta_s_per_byte", x.beta_s_per_byte);
  v("pairs", x.pairs);
}

void fields(auto& v, Is<ExpectedTime> auto& x) {
  v("case", x.case_name);
  v("variant", x.variant);
  v("algorithm", x.algorithm);
  v("bytes", x.bytes);
  v("measured_s", x.measured_s);
  v("expected_s", x.expected_s);
  v("ratio", x.ratio);
}

void fields(auto& v, Is<BestVariant> auto& x) {
  v("bytes", x.bytes);
  v("best", x.best);
  v("first", x.first);
  v("best_s", x.best_s);
  v("first_over_best", x.first_over_best);
}

void fields(auto& v, Is<Expected> auto& x) {
  v("links", x.links);
  v("gamma_s_per_byte", x.gamma_s_per_byte);
  v("all_reduces", x.all_reduces);
  v("best", x.best);
}

void fields(auto& v, Is<SimulatedNetwork> auto& x) {
  v("ranks", x.ranks);
  v("ranks_per_host", x.ranks_per_host);
  v("intra_latency_s", x.intra_latency_s);
  v("intra_bytes_per_s", x.intra_bytes_per_s);
  v("inter_latency_s", x.inter_latency_s);
  v("inter_bytes_per_s", x.inter_bytes_per_s);
  v("reduce_bytes_per_s", x.reduce_bytes_per_s);
}

void fields(auto& v, Is<SimulatedTime> auto& x) {
  v("algorithm", x.algorithm);
  v("time_s", x.time_s);
  v("why_not", x.why_not);
}

void fields(auto& v, Is<SimulatedSize> auto& x) {
  v("bytes", x.bytes);
  v("best", x.best);
  v("times", x.times);
}

void fields(auto& v, Is<Simulation> auto& x) {
  v("network", x.network);
  v("all_reduces", x.all_reduces);
}

void fields(auto& v, Is<ComparedVariant> auto& x) {
  v("variant", x.variant);
  v("outcome", x.outcome);
  v("time_s", x.time_s);
  v("ratio", x.ratio);
}

void fields(auto& v, Is<Comparison> auto& x) {
  v("name", x.name);
  v("dtype", x.dtype);
  v("ranks", x.ranks);
  v("params", x.params);
  v("baseline_variant", x.baseline_variant);
  v("variants", x.variants);
}

void fields(auto& v, Is<ClosurePart> auto& x) {
  v("case", x.case_name);
  v("params", x.params);
  v.count("per_step", x.per_step);
  v("time_s", x.time_s);
  v("total_s", x.total_s);
  v("fraction", x.fraction);
}

void fields(auto& v, Is<Closure> auto& x) {
  v("case", x.case_name);
  v("dtype", x.dtype);
  v("model", x.model);
  v("ranks", x.ranks);
  v("step_s", x.step_s);
  v("kernels_s", x.kernels_s);
  v("kernels_fraction", x.kernels_fraction);
  v.interval("kernels_fraction_over_rounds", x.kernels_fraction_over_rounds, x.kernels_fraction);
  v("remainder_s", x.remainder_s);
  v("parts", x.parts);
  v("missing", x.missing);
}

}  // namespace bench::schema
