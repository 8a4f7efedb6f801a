#include "reports/derive/scaling.h"

#include <gtest/gtest.h>

#include "bench/model/model.h"
#include "reports/derive/finish.h"
#include "reports/reference/references.h"
#include "tests/reports/sample.h"

namespace bench {
namespace {

using schema::Report;
using schema::ScalingPoint;

ScalingPoint point_of(const Report& report, size_t i = 1) {
  return reports::derive_scaling(test::sample_plan(), report).points.at(i);
}

// Hardware FLOPs of a step of a miniature, batch 8.
double flops_of(const char* name, int tp) {
  const model::ModelConfig m = model::parse_model(name);
  return model::step_flops(m, 8, model::padded_vocab(m.vocab, tp)).hardware_full_recompute;
}

TEST(Scaling, BaselineIsOneByEveryKind) {
  const ScalingPoint p = point_of(test::sample_report(), 0);
  EXPECT_DOUBLE_EQ(*p.efficiency.flops, 1);
  EXPECT_DOUBLE_EQ(*p.efficiency.parameters, 1);
  EXPECT_DOUBLE_EQ(*p.efficiency.time, 1);
  EXPECT_TRUE(p.comparable) << p.why_not;
}

TEST(Scaling, FlopsEfficiencyIsTheRatioOfRatesPerRank) {
  const ScalingPoint p = point_of(test::sample_report());
  const double expected =
      flops_of("megatron-mini-mp2", 2) / (2 * 0.6) / (flops_of("megatron-mini-mp1", 1) / 0.5);
  EXPECT_NEAR(*p.efficiency.flops, expected, 1e-12);
  EXPECT_NEAR(*p.tflops_per_rank.hardware_full_recompute, flops_of("megatron-mini-mp2", 2) / 1.2e12,
              1e-12);
}

TEST(Scaling, ParametersEfficiencyIsThePublishedTables) {
  const model::ModelConfig one = model::parse_model("megatron-mini-mp1"),
                           two = model::parse_model("megatron-mini-mp2");
  const double p1 = model::parameter_formula(one, model::padded_vocab(one.vocab, 1));
  const double p2 = model::parameter_formula(two, model::padded_vocab(two.vocab, 2));
  EXPECT_NEAR(*point_of(test::sample_report()).efficiency.parameters,
              p2 * 8 / (2 * 0.6) / (p1 * 8 / 0.5), 1e-12);
}

TEST(Scaling, TimeEfficiencyIsNullWhereTheModelGrows) {
  const ScalingPoint p = point_of(test::sample_report());
  EXPECT_FALSE(p.efficiency.time);
  EXPECT_NE(p.efficiency.time_why_not.find("grows"), std::string::npos);
}

TEST(Scaling, TimeEfficiencyOfOneModel) {
  Report strong = test::sample_report();
  strong.cases.clear();
  strong.training.clear();
  test::add_step(strong, "point0", "megatron-mini-mp1", 1, 1, 8, {0.5});
  test::add_step(strong, "point1", "megatron-mini-mp1", 2, 2, 8, {0.3});
  EXPECT_NEAR(*point_of(strong).efficiency.time, 0.5 / 0.3 / 2, 1e-12);  // speed-up / n
  strong.training[1].model["global_batch"] = 16;
  strong.cases[1].rounds[0].median_s = 0.6;
  EXPECT_NEAR(*point_of(strong).efficiency.time, 0.5 / 0.6, 1e-12);  // T_1 / T_n
}

// The machine halves its speed from round to round; the efficiency inside each round stays.
TEST(Scaling, EfficiencyIsFormedInsideRounds) {
  Report r = test::sample_report();
  const double before = *point_of(r).efficiency.flops;
  for (size_t i = 0; i < 3; ++i) {
    r.cases[0].rounds[i].median_s = 0.5 * (1 << i);
    r.cases[1].rounds[i].median_s = 0.6 * (1 << i);
  }
  r.cases[1].rounds.pop_back();
  const ScalingPoint p = point_of(r);
  EXPECT_NEAR(*p.efficiency.flops, before, 1e-12);
  EXPECT_NEAR(p.efficiency.flops_ci.low, before, 1e-12);
}

TEST(Scaling, SpreadIsLowestAndHighestRound) {
  Report r = test::sample_report();
  r.cases[1].rounds[0].median_s = 1.2;
  const ScalingPoint p = point_of(r);
  EXPECT_NEAR(p.efficiency.flops_ci.low, *p.efficiency.flops / 2, 1e-12);
  EXPECT_NEAR(p.efficiency.flops_ci.high, *p.efficiency.flops, 1e-12);
}

TEST(Scaling, PeakFractionUsesTheCeilingOfAsManyRanks) {
  const ScalingPoint p = point_of(test::sample_report());
  EXPECT_NEAR(*p.peak_measured_gemm, *p.tflops_per_rank.model_causal * 1e12 / 80e9, 1e-12);
  EXPECT_FALSE(p.peak_datasheet);
}

TEST(Scaling, TakesTheSplitOfTheStep) {
  const ScalingPoint p = point_of(test::sample_report());
  EXPECT_DOUBLE_EQ(*p.split_s.compute, 0.4);
  EXPECT_FALSE(p.split_s.bubble);
}

TEST(Scaling, AnUnmeasuredPointStaysWithItsReason) {
  Report r = test::sample_report();
  r.cases[1].outcome = schema::Outcome::timeout;
  r.cases[1].reason = "rank 1 did not arrive";
  const ScalingPoint p = point_of(r);
  EXPECT_FALSE(p.comparable);
  EXPECT_FALSE(p.step_s || p.efficiency.flops);
  EXPECT_NE(p.why_not.find("rank 1 did not arrive"), std::string::npos) << p.why_not;
}

TEST(Scaling, WithoutABaselineNothingIsComparable) {
  Report r = test::sample_report();
  r.cases[0].outcome = schema::Outcome::failed;
  const ScalingPoint p = point_of(r);
  EXPECT_FALSE(p.comparable || p.efficiency.flops);
  EXPECT_TRUE(p.step_s);
}

TEST(Scaling, OversubscribedPointsAreNotComparable) {
  Report r = test::sample_report();
  r.environment.oversubscribed = true;
  r.environment.hosts[0].cores = 1;
  EXPECT_FALSE(point_of(r, 1).comparable);
  EXPECT_TRUE(point_of(r, 0).comparable);
}

TEST(Finish, PutsTheWeakCurveFirstAndTheOthersBeside) {
  Report r = test::sample_report();
  schema::ScalingPlan strong = test::sample_plan();
  strong.kind = "strong";
  const schema::ScalingPlan plans[] = {strong, test::sample_plan()};
  reports::finish(r, plans);
  reports::finish(r, plans);
  EXPECT_EQ(r.scaling->kind, "weak");
  ASSERT_EQ(r.scaling_more.size(), 1u);
  EXPECT_EQ(r.scaling_more[0].points[1].kind, "strong");
  EXPECT_EQ(r.references.size(), 2u);
}

}  // namespace
}  // namespace bench
