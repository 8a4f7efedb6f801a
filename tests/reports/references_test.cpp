#include "reports/reference/references.h"

#include <gtest/gtest.h>

#include "bench/model/model.h"
#include "reports/derive/finish.h"
#include "reports/reference/peaks.h"
#include "tests/reports/sample.h"

namespace bench {
namespace {

using schema::Reference;
using schema::Report;

// One GPU of the paper's first row: 1.2 B, batch 8, recompute after every layer.
Report papers_own() {
  Report r = test::sample_report();
  r.cases.clear();
  r.training.clear();
  r.environment.ranks.resize(1);
  r.environment.ranks[0].device = {
      .kind = "cuda", .name = "NVIDIA H100 80GB HBM3", .index = 0, .uuid = ""};
  test::add_step(r, "point0", "megatron-1.2b,vocab=51200", 1, 1, 8, {2.2135});
  r.cases[0].device = "cuda";
  r.cases[0].dtype = "bf16";
  r.cases[0].params["recompute"] = std::string("full");
  return r;
}

TEST(References, BothAreThereForAnEmptyRun) {
  Report r;
  reports::finish(r, {});
  ASSERT_EQ(r.references.size(), 2u);
  EXPECT_EQ(r.references[0].id, "megatron2019.single_gpu_tflops");
  EXPECT_EQ(r.references[1].id, "megatron2019.scaling_efficiency");
  for (const Reference& reference : r.references) {
    EXPECT_FALSE(reference.comparable || reference.measured);
    EXPECT_NE(reference.why_not, "");
  }
}

// 39 hardware TFLOP/s is 3 701 tokens/s on this configuration: 8192 tokens in 2.2135 s.
TEST(References, ThePapersOwnStepIsComparable) {
  const Reference r = reports::make_references(papers_own())[0];
  EXPECT_TRUE(r.comparable) << r.why_not;
  EXPECT_NEAR(*r.measured, 39, 0.05);
  EXPECT_NEAR(*r.ratio, 1, 0.002);
  EXPECT_NEAR(*r.peak_measured, 39.0 / 989, 0.0001);
  EXPECT_DOUBLE_EQ(*r.peak_reference, 0.30);
}

TEST(References, WithoutRecomputeTheModelFigureIsNamed) {
  Report report = papers_own();
  report.cases[0].params["recompute"] = std::string("none");
  const Reference r = reports::make_references(report)[0];
  EXPECT_FALSE(r.comparable);
  EXPECT_TRUE(r.ratio);
  EXPECT_NE(r.why_not.find("29.7"), std::string::npos) << r.why_not;
}

TEST(References, AMiniatureOnCpuRanksSaysSo) {
  Report report = test::sample_report();
  const schema::ScalingPlan plan = test::sample_plan();
  reports::finish(report, {&plan, 1});
  for (const Reference& r : report.references) {
    EXPECT_FALSE(r.comparable);
    EXPECT_TRUE(r.ratio);
    EXPECT_NE(r.why_not.find("CPU"), std::string::npos) << r.why_not;
    EXPECT_NE(r.why_not.find("megatron-mini"), std::string::npos) << r.why_not;
  }
  EXPECT_NE(report.references[0].peak_of.find("measured GEMM ceiling"), std::string::npos);
  EXPECT_NEAR(*report.references[0].peak_measured, *report.references[0].measured / 0.1, 1e-12);
  EXPECT_DOUBLE_EQ(*report.references[1].measured, *report.scaling->points[1].efficiency.flops);
}

TEST(References, AFailedLargestPointIsNotReplacedByASmallerOne) {
  Report report = test::sample_report();
  report.cases[1].outcome = schema::Outcome::failed;
  const schema::ScalingPlan plan = test::sample_plan();
  reports::finish(report, {&plan, 1});
  EXPECT_FALSE(report.references[1].measured);
  EXPECT_NE(report.references[1].why_not.find("2 ranks"), std::string::npos);
}

TEST(Peaks, KnowDevicesByTheirExactNames) {
  EXPECT_DOUBLE_EQ(*reports::datasheet_peak_flops_per_s("NVIDIA H200", "bf16"), 989e12);
  EXPECT_DOUBLE_EQ(*reports::datasheet_peak_flops_per_s("Tesla V100-SXM3-32GB-H", "f16"), 130e12);
  EXPECT_FALSE(reports::datasheet_peak_flops_per_s("Tesla V100-SXM3-32GB", "bf16"));
  EXPECT_FALSE(reports::datasheet_peak_flops_per_s("NVIDIA H200 NVL", "bf16"));
  EXPECT_FALSE(reports::datasheet_peak_flops_per_s("", "f32"));
}

}  // namespace
}  // namespace bench
