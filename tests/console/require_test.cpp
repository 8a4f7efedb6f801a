// --require: what is accepted, and what a report is judged to be.
#include "reports/require/require.h"

#include <gtest/gtest.h>

#include <cmath>

#include "bench/base/status.h"
#include "reports/reference/references.h"
#include "tests/console/example_report.h"

namespace bench::reports {
namespace {

using schema::Outcome;
using schema::Report;
using schema::Verdict;
using Of = Requirement::Of;

Verdict judged(const Report& report, const std::vector<std::string>& texts) {
  std::vector<Requirement> requirements;
  for (const std::string& text : texts) requirements.push_back(parse_requirement(text));
  return judge(report, requirements);
}

std::string all(const Verdict& verdict) {
  std::string text;
  for (const std::string& reason : verdict.reasons) text += reason + "\n";
  return text;
}

std::string refusal(std::string_view text) {
  try {
    parse_requirement(text);
  } catch (const UsageError& e) {
    return e.what();
  }
  ADD_FAILURE() << text << " was accepted";
  return "";
}

TEST(ParseRequirement, readsEveryOperator) {
  EXPECT_EQ(parse_requirement("scaling.2.step_s>=1").comparison, Comparison::at_least);
  EXPECT_EQ(parse_requirement("scaling.2.step_s<=1").comparison, Comparison::at_most);
  EXPECT_EQ(parse_requirement("scaling.2.step_s>1").comparison, Comparison::above);
  EXPECT_EQ(parse_requirement("scaling.2.step_s<1").comparison, Comparison::below);
  EXPECT_EQ(parse_requirement("scaling.2.step_s==1").comparison, Comparison::equal);
}

TEST(ParseRequirement, findsThePartsOfAPath) {
  const Requirement of_case =
      parse_requirement(" cases.gpt2.layer.mlp.fc1.fwd.rates.tflops_per_rank >= 1e-3 ");
  EXPECT_EQ(of_case.of, Of::cases);
  EXPECT_EQ(of_case.name, "gpt2.layer.mlp.fc1.fwd");
  EXPECT_EQ(of_case.field, "rates.tflops_per_rank");
  EXPECT_EQ(of_case.number, 1e-3);
  const Requirement of_reference =
      parse_requirement("references.megatron2019.scaling_efficiency.ratio>=1");
  EXPECT_EQ(of_reference.of, Of::reference);
  EXPECT_EQ(of_reference.name, "megatron2019.scaling_efficiency");
  const Requirement of_largest = parse_requirement("scaling.efficiency.flops>=0.7");
  EXPECT_EQ(of_largest.of, Of::largest_point);
  EXPECT_EQ(of_largest.field, "efficiency.flops");
  const Requirement of_point = parse_requirement("scaling.8.efficiency.time>=0.7");
  EXPECT_EQ(of_point.of, Of::point);
  EXPECT_EQ(of_point.ranks, 8);
  EXPECT_EQ(of_point.field, "efficiency.time");
  EXPECT_EQ(parse_requirement("phases_s.wall<60").of, Of::phase);
  const Requirement of_variant =
      parse_requirement("comparisons.gpt2.layer.attention.fwd.flash.ratio.low>=1.5");
  EXPECT_EQ(of_variant.of, Of::comparisons);
  EXPECT_EQ(of_variant.name, "gpt2.layer.attention.fwd.flash");
  EXPECT_EQ(of_variant.field, "ratio.low");
  EXPECT_EQ(parse_requirement("closure.kernels_fraction>=0.9").field, "kernels_fraction");
  EXPECT_EQ(parse_requirement("cases.x.roofline.of_limit>=0.9").field, "roofline.of_limit");
}

TEST(ParseRequirement, refusesWhatItDoesNotKnowAndShowsIt) {
  for (const char* text : {"",
                           ">=1",
                           "speed is good",
                           "nosuch.path>=1",
                           "scaling>=1",
                           "scaling.>=1",
                           "scaling.efficiency>=1",
                           "scaling.efficiency.speed>=1",
                           "scaling.efficiency.flops.>=1",
                           "scaling.0.efficiency.flops>=1",
                           "scaling.two.step_s>=1",
                           "scaling.2.steps>=1",
                           "scaling.2>=1",
                           "references.nobody.ratio>=1",
                           "references.megatron2019.scaling_efficiency>=1",
                           "cases.x>=1",
                           "cases..time_s.median>=1",
                           "cases.time_s.median>=1",
                           "cases.x.time_s.average>=1",
                           "cases.x.roofline.limit>=1",
                           "comparisons.ratio.median>=1",
                           "comparisons.x.flash.ratio>=1",
                           "closure.>=1",
                           "closure.x.kernels_s>=1",
                           "phases_s.lunch>=1",
                           "scaling.efficiency.flops>=",
                           "scaling.efficiency.flops>=70%",
                           "scaling.efficiency.flops>=nan",
                           "scaling.efficiency.flops>=1e999",
                           "scaling.efficiency.flops=0.7",
                           "scaling.efficiency.flops=>0.7",
                           "scaling.efficiency.flops!=0.7"}) {
    EXPECT_NE(refusal(text).find("'" + std::string(text) + "'"), std::string::npos) << text;
  }
  EXPECT_NE(refusal("references.x.ratio>=1").find("megatron2019.single_gpu_tflops"),
            std::string::npos);
  EXPECT_NE(refusal("cases.x.time_s.average>=1").find("time_s.median"), std::string::npos);
  EXPECT_NE(refusal("scaling.efficiency.speed>=1").find("efficiency.flops"), std::string::npos);
}

TEST(ParseRequirement, knowsTheReferencesThatReportsHave) {
  for (const schema::Reference& r : make_references({}))
    EXPECT_EQ(parse_requirement("references." + r.id + ".ratio>=1").name, r.id);
}

TEST(CheckCaseNames, refusesACaseThatWillNotRun) {
  const std::vector<std::string> planned = {"train.step.weak"};
  std::vector<Requirement> requirements = {
      parse_requirement("scaling.efficiency.flops>=0.7"),
      parse_requirement("cases.train.step.weak.time_s.median<1")};
  EXPECT_NO_THROW(check_case_names(requirements, planned));
  requirements.push_back(parse_requirement("comparisons.train.step.weak.flash.ratio.median>1"));
  EXPECT_NO_THROW(check_case_names(requirements, planned));
  const std::vector<Requirement> variant = {
      parse_requirement("comparisons.train.flash.ratio.median>1")};
  EXPECT_THROW(check_case_names(variant, planned), UsageError);
  requirements.push_back(parse_requirement("cases.train.step.strong.time_s.median<1"));
  EXPECT_THROW(check_case_names(requirements, planned), UsageError);
}

TEST(Judge, passesAndFailsByTheFigureAndNamesIt) {
  const Verdict pass = judged(test::example_report(), {"scaling.efficiency.flops>=0.7"});
  EXPECT_EQ(pass.state, "pass");
  EXPECT_EQ(all(pass), "scaling.efficiency.flops>=0.7: met: measured 0.8 at 2 ranks\n");
  const Verdict fail =
      judged(test::example_report(), {"scaling.efficiency.flops>=0.9", "scaling.1.step_s<=0.5"});
  EXPECT_EQ(fail.state, "fail");
  EXPECT_NE(all(fail).find("not met: measured 0.8 at 2 ranks"), std::string::npos);
  EXPECT_NE(all(fail).find("scaling.1.step_s<=0.5: met"), std::string::npos);
}

TEST(Judge, comparesStrictlyWhereAskedTo) {
  const Report report = test::example_report();
  EXPECT_EQ(judged(report, {"scaling.1.step_s>=0.5"}).state, "pass");
  EXPECT_EQ(judged(report, {"scaling.1.step_s>0.5"}).state, "fail");
  EXPECT_EQ(judged(report, {"scaling.1.step_s<=0.5"}).state, "pass");
  EXPECT_EQ(judged(report, {"scaling.1.step_s<0.5"}).state, "fail");
  EXPECT_EQ(judged(report, {"scaling.1.step_s==0.5"}).state, "pass");
  EXPECT_EQ(judged(report, {"scaling.1.step_s==0.6"}).state, "fail");
}

TEST(Judge, readsTheFiguresOfCases) {
  const Report report = test::example_report();
  EXPECT_EQ(judged(report, {"cases.gpt2.layer.ln1.fwd.time_s.median<=312e-6"}).state, "pass");
  EXPECT_EQ(judged(report, {"cases.gpt2.layer.ln1.fwd.rates.gbytes_per_s>=9.75"}).state, "pass");
  EXPECT_EQ(judged(report, {"cases.gpt2.layer.ln1.fwd.of_ceiling.copy>=0.875"}).state, "pass");
  EXPECT_EQ(judged(report, {"cases.gpt2.layer.ln1.fwd.verify.error<=1e-6"}).state, "pass");
  EXPECT_EQ(judged(report, {"cases.gpt2.layer.ln1.fwd.roofline.of_limit>=0.875"}).state, "pass");
  EXPECT_EQ(judged(report, {"cases.gpt2.layer.ln1.fwd.time_s.median<=311e-6"}).state, "fail");
}

TEST(Judge, readsTheFiguresOfVariants) {
  const Report report = test::example_report();
  const Verdict pass =
      judged(report, {"comparisons.gpt2.layer.attention.fwd.flash.ratio.median>=1.6"});
  EXPECT_EQ(pass.state, "pass");
  EXPECT_NE(all(pass).find("measured 1.6 against unfused"), std::string::npos) << all(pass);
  EXPECT_EQ(judged(report, {"comparisons.gpt2.layer.attention.fwd.flash.ratio.low>=1.6"}).state,
            "fail");
  for (const char* variant : {"quick", "nobody"})
    EXPECT_EQ(judged(report, {"comparisons.gpt2.layer.attention.fwd." + std::string(variant) +
                              ".ratio.median>=0"})
                  .state,
              "no_verdict");
}

TEST(Judge, readsTheFiguresOfAClosureThatIsWhole) {
  Report report = test::example_report();
  EXPECT_EQ(judged(report, {"closure.kernels_fraction>=0.9"}).state, "pass");
  EXPECT_EQ(judged(report, {"closure.remainder_s<0.05"}).state, "fail");
  report.closure[0].missing = {"gpt2.adamw"};
  const Verdict open = judged(report, {"closure.kernels_fraction>=0.9"});
  EXPECT_EQ(open.state, "no_verdict");
  EXPECT_NE(all(open).find("kernels without a time: gpt2.adamw"), std::string::npos) << all(open);
  report.closure.clear();
  EXPECT_EQ(judged(report, {"closure.kernels_fraction>=0"}).state, "no_verdict");
}

TEST(Judge, wantsEveryRankCountOfACaseToMeetTheFigure) {
  const Verdict fail =
      judged(test::example_report(), {"cases.train.step.weak.rates.tokens_per_s>=2000"});
  EXPECT_EQ(fail.state, "fail");
  EXPECT_NE(all(fail).find("measured 1638.4 with 2 ranks"), std::string::npos);
  EXPECT_NE(all(fail).find("measured 2048 with 1 rank"), std::string::npos);
}

TEST(Judge, hasNoVerdictWithoutTheFigure) {
  for (const char* text :
       {"cases.nobody.time_s.median<1", "cases.kernels.attention.flash.time_s.median<1",
        "cases.gpt2.layer.ln1.fwd.rates.tokens_per_s>1", "cases.gpt2.layer.ln1.fwd.time_s.p99<1",
        "scaling.8.efficiency.flops>0", "scaling.efficiency.time>0"})
    EXPECT_EQ(judged(test::example_report(), {text}).state, "no_verdict") << text;
  Report report = test::example_report();
  report.cases[1].rates.gbytes_per_s = std::nan("");
  EXPECT_EQ(judged(report, {"cases.gpt2.layer.ln1.fwd.rates.gbytes_per_s>=0"}).state, "no_verdict");
  report.scaling.reset();
  EXPECT_EQ(judged(report, {"scaling.efficiency.flops>0"}).state, "no_verdict");
}

TEST(Judge, hasNoVerdictOnWhatMayNotBeCompared) {
  Report report = test::example_report();
  const Verdict reference =
      judged(report, {"references.megatron2019.scaling_efficiency.ratio>=0.9"});
  EXPECT_EQ(reference.state, "no_verdict");
  EXPECT_NE(all(reference).find("2 ranks, not 512"), std::string::npos);
  report.references[1].comparable = true;
  EXPECT_EQ(judged(report, {"references.megatron2019.scaling_efficiency.ratio>=0.9"}).state,
            "pass");

  report.scaling->points[1].comparable = false;
  report.scaling->points[1].why_not = "2 ranks are more than the cores they may use";
  const Verdict crowded = judged(report, {"scaling.efficiency.flops>=0.7"});
  EXPECT_EQ(crowded.state, "no_verdict");
  EXPECT_NE(all(crowded).find("more than the cores"), std::string::npos);
}

TEST(Judge, doesNotPassAScalingOfOneRank) {
  Report report = test::example_report();
  report.scaling->points.pop_back();
  EXPECT_EQ(judged(report, {"scaling.efficiency.flops>=0.7"}).state, "no_verdict");
}

TEST(Judge, failsAWrongResultEvenUnasked) {
  Report report = test::example_report();
  report.cases.push_back(
      test::case_without_time("gpt2.gelu.fwd", 2, Outcome::wrong, "error 0.5 above 1e-4"));
  report.run.complete = false;
  const Verdict verdict = judged(report, {});
  EXPECT_EQ(verdict.state, "fail");
  EXPECT_EQ(all(verdict),
            "gpt2.gelu.fwd computes a wrong result: error 0.5 above 1e-4\nthe run is incomplete\n");
  EXPECT_EQ(judged(report, {"scaling.efficiency.flops>=0.7"}).state, "fail");
}

TEST(Judge, hasNoVerdictOnAnIncompleteRun) {
  Report report = test::example_report();
  report.run.complete = false;
  EXPECT_EQ(judged(report, {"scaling.efficiency.flops>=0.7"}).state, "no_verdict");
  EXPECT_EQ(judged(report, {"scaling.efficiency.flops>=0.9"}).state, "no_verdict");
  EXPECT_EQ(judged(report, {}).state, "no_verdict");
}

TEST(Judge, hasNoVerdictBesideACaseThatFailedOrTimedOut) {
  for (Outcome outcome : {Outcome::failed, Outcome::timeout}) {
    Report report = test::example_report();
    report.cases.push_back(test::case_without_time("x", 2, outcome, "because"));
    EXPECT_EQ(judged(report, {"scaling.efficiency.flops>=0.7"}).state, "no_verdict");
    EXPECT_EQ(judged(report, {}).state, "no_verdict");
  }
}

TEST(Judge, saysNothingWhereNothingWasAsked) {
  const Verdict verdict = judged(test::example_report(), {});
  EXPECT_EQ(verdict.state, "not_asked");
  EXPECT_TRUE(verdict.reasons.empty());
}

}  // namespace
}  // namespace bench::reports
