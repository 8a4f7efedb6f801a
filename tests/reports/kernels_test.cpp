// What a report says of kernels: roofline, variants compared, closure of the step.
#include <gtest/gtest.h>

#include "reports/derive/closure.h"
#include "reports/derive/comparisons.h"
#include "reports/derive/finish.h"
#include "tests/reports/sample.h"

namespace bench {
namespace {

using schema::CaseResult;
using schema::Outcome;
using schema::Report;

// 100 GFLOP/s and 10 GB/s: the ridge is at 10 FLOPs a byte. In the second round all is half as
// fast.
Report with_ceilings() {
  Report r;
  r.cases = {test::ceiling_case("gemm", 1, 1e9, {0.01, 0.02}),
             test::ceiling_case("copy", 1, 1e9, {0.1, 0.2})};
  r.cases[1].params["pattern"] = std::string("copy");
  return r;
}

schema::Roofline roofline_of(schema::Work work, const std::vector<double>& rounds_s) {
  Report r = with_ceilings();
  r.cases.push_back(test::measured_case("op", 1, rounds_s));
  r.cases.back().work = work;
  reports::finish(r, {});
  return r.cases.back().roofline.value();
}

TEST(Roofline, NamesTheLimitThatAsksForMoreTime) {
  // 10 ms of GEMM against 1 ms of copy, done in 20 ms
  const auto dense = roofline_of({.flops = 1e9, .bytes = 1e7, .tokens = {}}, {0.02, 0.04});
  EXPECT_DOUBLE_EQ(*dense.intensity_flops_per_byte, 100);
  EXPECT_DOUBLE_EQ(*dense.ridge_flops_per_byte, 10);
  EXPECT_DOUBLE_EQ(*dense.gemm_fraction, 0.5);
  EXPECT_DOUBLE_EQ(*dense.stream_fraction, 0.05);
  EXPECT_EQ(dense.limit, "gemm");
  EXPECT_DOUBLE_EQ(*dense.of_limit, 0.5);
  // 1 ms of GEMM against 10 ms of copy
  const auto thin = roofline_of({.flops = 1e8, .bytes = 1e8, .tokens = {}}, {0.0125, 0.025});
  EXPECT_EQ(thin.limit, "stream");
  EXPECT_EQ(thin.stream_pattern, "copy");
  EXPECT_DOUBLE_EQ(*thin.of_limit, 0.8);
}

TEST(Roofline, HoldsACaseAgainstWhatItDeclares) {
  const auto bytes = roofline_of({.flops = {}, .bytes = 1e8, .tokens = {}}, {0.02, 0.04});
  EXPECT_FALSE(bytes.intensity_flops_per_byte || bytes.gemm_fraction);
  EXPECT_TRUE(bytes.ridge_flops_per_byte);
  EXPECT_EQ(bytes.limit, "stream");
  EXPECT_DOUBLE_EQ(*bytes.of_limit, 0.5);
  const auto flops = roofline_of({.flops = 1e9, .bytes = {}, .tokens = {}}, {0.02, 0.04});
  EXPECT_EQ(flops.limit, "gemm");
  EXPECT_EQ(flops.stream_pattern, "");
}

// The copy of the second round was disturbed; the flank around the samples was not.
TEST(Roofline, HoldsAFlankedCaseAgainstItsFlank) {
  Report r = with_ceilings();
  r.cases.push_back(test::measured_case("op", 1, {0.02, 0.02, 0.02}));
  r.cases[2].work = {.flops = 1e6, .bytes = 1e8, .tokens = {}};
  r.cases[2].flanked.emplace();
  r.cases[2].flanked->by = "ceiling.copy";
  r.cases[2].flanked->ratio_by_round = {0.5, 0.75, {}};
  reports::finish(r, {});
  EXPECT_DOUBLE_EQ(*r.cases[2].roofline->stream_fraction, 0.625);
  EXPECT_DOUBLE_EQ(*r.cases[2].roofline->of_limit, 0.625);
  EXPECT_EQ(r.cases[2].roofline->stream_pattern, "copy");
  EXPECT_DOUBLE_EQ(*r.cases[2].of_ceiling.copy, 0.75);
}

TEST(Roofline, NamesNoLimitWhereACeilingIsMissing) {
  Report r;
  r.cases = {test::ceiling_case("copy", 1, 1e9, {0.1}), test::measured_case("op", 1, {0.2})};
  r.cases[1].work = {.flops = 1e9, .bytes = 1e9, .tokens = {}};
  reports::finish(r, {});
  EXPECT_DOUBLE_EQ(*r.cases[1].roofline->stream_fraction, 0.5);
  EXPECT_FALSE(r.cases[1].roofline->of_limit);
  EXPECT_EQ(r.cases[1].roofline->limit, "");
}

TEST(Roofline, IsOnlyOfMeasuredWork) {
  Report r = with_ceilings();
  r.cases.push_back(test::measured_case("idle", 1, {0.1}));
  r.cases.push_back(test::measured_case("wrong", 1, {0.1}));
  r.cases.back().work.flops = 1e9;
  r.cases.back().outcome = Outcome::wrong;
  reports::finish(r, {});
  EXPECT_FALSE(r.cases[2].roofline);
  EXPECT_FALSE(r.cases[3].roofline);
  ASSERT_EQ(r.ceilings.size(), 1u);
  EXPECT_DOUBLE_EQ(*r.ceilings[0].ridge_flops_per_byte, 10);
}

CaseResult variant(const std::string& name, const std::vector<double>& rounds_s) {
  CaseResult c = test::kernel_case("attention", 4, rounds_s);
  c.params["variant"] = name;
  return c;
}

TEST(Comparisons, FormTheRatioInsideRounds) {
  Report r;
  r.cases = {variant("unfused", {0.2, 0.4, 0.8}), variant("flash", {0.1, 0.2, 0.2})};
  const auto found = reports::derive_comparisons(r);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].name, "attention");
  EXPECT_EQ(found[0].baseline_variant, "unfused");
  EXPECT_FALSE(found[0].params.contains("variant"));
  EXPECT_DOUBLE_EQ(found[0].variants[0].ratio->median, 1);
  EXPECT_DOUBLE_EQ(found[0].variants[1].ratio->median, 2);
  EXPECT_DOUBLE_EQ(found[0].variants[1].ratio->low, 2);
  EXPECT_DOUBLE_EQ(found[0].variants[1].ratio->high, 4);
  EXPECT_DOUBLE_EQ(*found[0].variants[1].time_s, 0.2);
}

TEST(Comparisons, AreOnlyOfCasesThatDifferInNothingElse) {
  Report r;
  r.cases = {variant("a", {0.1}), variant("b", {0.1}), variant("b", {0.1}), variant("b", {0.1})};
  r.cases[1].params["mode"] = std::string("cold");
  r.cases[2].dtype = "bf16";
  r.cases[3].ranks = 2;
  EXPECT_TRUE(reports::derive_comparisons(r).empty());
  r.cases.push_back(test::kernel_case("attention", 4, {0.2}));
  r.cases.back().params.erase("per_step");
  const auto found = reports::derive_comparisons(r);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].variants[1].variant, "default");
}

TEST(Comparisons, StartFromTheFirstThatWasMeasured) {
  Report r;
  r.cases = {variant("wrong", {0.1}), variant("right", {0.1})};
  r.cases[0].outcome = Outcome::wrong;
  r.cases[0].time_s.reset();
  auto found = reports::derive_comparisons(r);
  EXPECT_EQ(found.at(0).baseline_variant, "right");
  EXPECT_EQ(found[0].variants[0].outcome, Outcome::wrong);
  EXPECT_FALSE(found[0].variants[0].ratio || found[0].variants[0].time_s);
  r.cases[1].outcome = Outcome::failed;
  r.cases[1].time_s.reset();
  found = reports::derive_comparisons(r);
  EXPECT_EQ(found.at(0).baseline_variant, "wrong");
  EXPECT_FALSE(found[0].variants[1].ratio);
}

// The machine slows to half in the second round.
Report with_step() {
  Report r;
  test::add_step(r, "", "megatron-mini-mp1", 1, 1, 8, {1, 2, 1});
  r.cases.push_back(test::kernel_case("fc1.fwd", 4, {0.1, 0.2, 0.1}));
  r.cases.push_back(test::kernel_case("adamw", 1, {0.3, 0.6, 0.2}));
  return r;
}

schema::Closure closure_of(const Report& r) {
  const auto found = reports::derive_closure(r);
  EXPECT_EQ(found.size(), 1u);
  return found.empty() ? schema::Closure{} : found[0];
}

TEST(Closure, SumsKernelsInsideRounds) {
  const schema::Closure c = closure_of(with_step());
  EXPECT_EQ(c.case_name, "train.gpt2.step");
  EXPECT_EQ(c.model, "megatron-mini-mp1");
  EXPECT_DOUBLE_EQ(*c.kernels_fraction, 0.7);
  EXPECT_DOUBLE_EQ(c.kernels_fraction_over_rounds.low, 0.6);
  EXPECT_DOUBLE_EQ(*c.step_s, 1);
  EXPECT_DOUBLE_EQ(*c.kernels_s, 0.7);
  EXPECT_DOUBLE_EQ(*c.remainder_s, 0.4);
  ASSERT_EQ(c.parts.size(), 2u);
  EXPECT_DOUBLE_EQ(*c.parts[0].time_s, 0.1);
  EXPECT_DOUBLE_EQ(*c.parts[0].total_s, 0.4);
  EXPECT_DOUBLE_EQ(*c.parts[0].fraction, 0.4);
  EXPECT_TRUE(c.missing.empty());
}

TEST(Closure, TakesKernelsOfTheSameStepOnly) {
  using Change = void (*)(CaseResult&);
  for (const Change change : {Change([](CaseResult& c) { c.params.erase("per_step"); }),
                              Change([](CaseResult& c) { c.params["model"] = std::string("x"); }),
                              Change([](CaseResult& c) { c.params["mode"] = std::string("cold"); }),
                              Change([](CaseResult& c) { c.params["m"] = 17.0; }),
                              Change([](CaseResult& c) { c.params["batch"] = 1.0; }),
                              Change([](CaseResult& c) { c.params["seq"] = 1.0; }),
                              Change([](CaseResult& c) { c.params["heads"] = 1.0; }),
                              Change([](CaseResult& c) { c.params["h"] = 1.0; }),
                              Change([](CaseResult& c) { c.dtype = "bf16"; }),
                              Change([](CaseResult& c) { c.ranks = 2; })}) {
    Report r = with_step();
    change(r.cases[1]);
    EXPECT_EQ(closure_of(r).parts.size(), 1u);
  }
  Report r = with_step();
  const double seq = std::get<double>(r.cases[0].params["seq"]);
  r.cases[1].params["m"] = 8 * seq;
  r.cases[1].params["seq"] = seq;
  EXPECT_EQ(closure_of(r).parts.size(), 2u);
}

TEST(Closure, CountsOneVariantOfAKernel) {
  Report r = with_step();
  r.cases[1].params["variant"] = std::string("slow");
  CaseResult plain = test::kernel_case("fc1.fwd", 4, {0.05, 0.1, 0.05});
  r.cases.push_back(plain);
  EXPECT_DOUBLE_EQ(*closure_of(r).kernels_fraction, 0.5);
  plain.params["variant"] = std::string("fast");
  r.cases.back() = plain;
  EXPECT_DOUBLE_EQ(*closure_of(r).kernels_fraction, 0.7);
  // What the step chose stands for the kernel.
  r.cases[0].params["variant"] = std::string("fast");
  EXPECT_DOUBLE_EQ(*closure_of(r).kernels_fraction, 0.5);
  r.cases[0].params["variant"] = std::string("gelu=simd linear=fast");
  r.cases[1].params["op"] = r.cases.back().params["op"] = std::string("linear");
  EXPECT_DOUBLE_EQ(*closure_of(r).kernels_fraction, 0.5);
  r.cases.back().params["arithmetic"] = std::string("bf16");
  EXPECT_EQ(closure_of(r).parts.size(), 2u);
  // Another shape is another part.
  r.cases.back().params["out"] = 3.0;
  EXPECT_EQ(closure_of(r).parts.size(), 3u);
}

TEST(Closure, NamesKernelsWithoutATime) {
  Report r = with_step();
  r.cases[2].outcome = Outcome::wrong;
  EXPECT_EQ(closure_of(r).missing, std::vector<std::string>{"adamw"});
  EXPECT_DOUBLE_EQ(*closure_of(r).kernels_fraction, 0.4);
  r.cases[1].outcome = Outcome::failed;
  EXPECT_FALSE(closure_of(r).kernels_s);
}

TEST(Closure, IsOfStepsOfOneMicroBatchOnly) {
  Report r = with_step();
  const double micro = std::get<double>(r.cases[0].params["micro_batch"]);
  r.cases[0].params["global_batch"] = 2 * micro;
  EXPECT_TRUE(reports::derive_closure(r).empty());
}

TEST(Closure, IsOfStepsThatRecomputeNothing) {
  Report r = with_step();
  r.cases[0].params["recompute"] = std::string("none");
  EXPECT_EQ(reports::derive_closure(r).size(), 1u);
  r.cases[0].params["recompute"] = std::string("full");
  EXPECT_TRUE(reports::derive_closure(r).empty());
}

TEST(Closure, IsOfUndividedStepsOnly) {
  Report r = with_step();
  r.cases[0].layout.tp = 2;
  EXPECT_TRUE(reports::derive_closure(r).empty());
  r = with_step();
  r.cases.resize(1);
  EXPECT_TRUE(reports::derive_closure(r).empty());
}

}  // namespace
}  // namespace bench
