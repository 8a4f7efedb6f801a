// The console table: a whole one against a golden file, and what must never be missing from one.
#include "reports/table/table.h"

#include <gtest/gtest.h>

#include <limits>

#include "tests/console/example_report.h"
#include "tests/console/golden.h"

namespace bench::reports {
namespace {

using schema::Outcome;
using schema::Report;

bool says(const Report& report, const std::string& words) {
  return console_table(report).find(words) != std::string::npos;
}

TEST(Table, isAsTheGoldenFile) {
  test::expect_golden(console_table(test::example_report()), "table.txt");
}

TEST(Table, showsTheVerdictWithItsReasons) {
  Report report = test::example_report();
  EXPECT_FALSE(says(report, "verdict"));
  report.verdict = {.state = "fail", .reasons = {"scaling.efficiency.flops>=0.9: not met"}};
  EXPECT_TRUE(says(report, "verdict: fail\n  scaling.efficiency.flops>=0.9: not met\n"));
}

TEST(Table, showsEveryOutcomeWithItsReason) {
  for (const auto& [outcome, word] : {std::pair{Outcome::skipped, "skipped"},
                                      {Outcome::wrong, "wrong"},
                                      {Outcome::failed, "failed"},
                                      {Outcome::timeout, "timeout"}}) {
    Report report = test::example_report();
    report.cases.push_back(test::case_without_time("gpt2.gelu.fwd", 2, outcome, "these words"));
    EXPECT_TRUE(says(report, std::string(word) + ": these words"));
  }
}

TEST(Table, warnsLoudly) {
  Report report = test::example_report();
  EXPECT_TRUE(says(report, "WARNING: unsteady"));
  EXPECT_FALSE(says(report, "WARNING: oversubscribed"));
  EXPECT_FALSE(says(report, "WARNING: the run is incomplete"));
  report.environment.oversubscribed = true;
  report.run.complete = false;
  EXPECT_TRUE(says(report, "WARNING: oversubscribed"));
  EXPECT_TRUE(says(report, "WARNING: the run is incomplete"));
  report.ceilings.clear();
  EXPECT_FALSE(says(report, "WARNING: unsteady"));
}

TEST(Table, saysWhyAPointMayNotBeCompared) {
  Report report = test::example_report();
  schema::ScalingPoint& point = report.scaling->points[1];
  point.comparable = false;
  point.why_not = "2 ranks are more than the cores they may use";
  EXPECT_TRUE(says(report, point.why_not));
}

TEST(Table, showsFurtherCurves) {
  Report report = test::example_report();
  report.scaling_more.push_back(*report.scaling);
  report.scaling_more.back().kind = "strong";
  EXPECT_TRUE(says(report, "strong scaling over tensor"));
}

TEST(Table, tellsCasesOfOneNameApart) {
  Report report = test::example_report();
  for (const char* variant : {"plain", "fused"}) {
    report.cases.push_back(test::measured_case("gpt2.gelu.fwd", 2, 1e-3));
    report.cases.back().params = {{"variant", variant}, {"mode", "cold"}};
  }
  EXPECT_TRUE(says(report, "gpt2.gelu.fwd variant=plain"));
  EXPECT_TRUE(says(report, "gpt2.gelu.fwd variant=fused"));
  EXPECT_FALSE(says(report, "mode=cold"));
  report.cases.back().dtype = "bf16";
  EXPECT_TRUE(says(report, "gpt2.gelu.fwd dtype=bf16 variant=fused"));
}

TEST(Table, hasNoColumnThatSaysNothing) {
  Report report = test::example_report();
  EXPECT_TRUE(says(report, " ranks  "));
  EXPECT_TRUE(says(report, " FLOP/B "));
  report.cases = {test::measured_case("collectives.all_reduce.8B", 2, 1e-6)};
  report.ceilings.clear();
  report.training.clear();
  report.scaling.reset();
  EXPECT_FALSE(says(report, " ranks  "));
  EXPECT_FALSE(says(report, "FLOP/B"));
  EXPECT_FALSE(says(report, "of stream"));
}

TEST(Table, callsAStreamByItsPattern) {
  Report report = test::example_report();
  report.cases = {report.cases[1]};
  report.cases[0].roofline->stream_pattern = "triad";
  EXPECT_TRUE(says(report, " triad "));
  report.cases[0].roofline->stream_pattern = "";
  EXPECT_TRUE(says(report, " stream "));
}

TEST(Table, warnsOfAClosureThatLacksKernels) {
  Report report = test::example_report();
  EXPECT_FALSE(says(report, "without a time"));
  report.closure[0].missing = {"gpt2.head.fwd", "gpt2.head.dgrad"};
  EXPECT_TRUE(says(report, "without a time, so part of the remainder: gpt2.head.fwd, gpt2.head"));
  report.closure[0].parts.clear();
  report.closure[0].kernels_s = report.closure[0].kernels_fraction = {};
  report.closure[0].remainder_s = {};
  EXPECT_TRUE(says(report, "a step of 500 ms\n"));
}

TEST(Table, survivesAnEmptyReportAndNumbersThatAreNone) {
  EXPECT_TRUE(says({}, "WARNING: the run is incomplete"));
  Report report = test::example_report();
  report.scaling->points[1].step_s = std::numeric_limits<double>::quiet_NaN();
  report.scaling->points[1].efficiency.parameters = std::numeric_limits<double>::infinity();
  report.cases[0].time_s->median = std::numeric_limits<double>::quiet_NaN();
  EXPECT_FALSE(says(report, "nan"));
  EXPECT_FALSE(says(report, "inf "));
}

}  // namespace
}  // namespace bench::reports
