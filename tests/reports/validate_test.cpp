#include "reports/schema/validate.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "bench/base/status.h"
#include "reports/derive/finish.h"
#include "reports/schema/json.h"
#include "tests/reports/sample.h"

namespace bench {
namespace {

using Json = nlohmann::json;

Json valid_report() {
  schema::Report report = test::sample_report();
  for (const char* variant : {"", "flash"}) {
    schema::CaseResult kernel = test::kernel_case("attention", 4, {0.01, 0.02, 0.01});
    kernel.work = {.flops = 1e9, .bytes = 1e6, .tokens = {}};
    if (*variant != '\0') kernel.params["variant"] = std::string(variant);
    report.cases.insert(report.cases.end() - 1, kernel);
  }
  const schema::ScalingPlan plan = test::sample_plan();
  reports::finish(report, {&plan, 1});
  return Json::parse(schema::to_json(report));
}

std::string found_in(const Json& report) {
  std::string all;
  for (const schema::Violation& v : schema::validate(report.dump(), "run.json"))
    all += v.path + ": " + v.message + "\n";
  return all;
}

// The first case between flanks: 30 samples in 15 groups.
Json flanked() {
  return {{"by", "ceiling.stream.copy"},
          {"ratio",
           {{"median", 0.9},
            {"ci95", {0.88, 0.91}},
            {"min", 0.8},
            {"p25", 0.85},
            {"p75", 0.92},
            {"max", 1.0}}},
          {"ratio_by_round", {0.9, nullptr}},
          {"n", 15},
          {"dropped", 2},
          {"flank_time_s", 0.02}};
}

// A change that breaks the report, and the path that has to be named.
struct Break {
  const char* what;
  void (*apply)(Json&);
  const char* path;
};

class Broken : public testing::TestWithParam<Break> {};

TEST_P(Broken, IsNamedByItsPath) {
  Json report = valid_report();
  GetParam().apply(report);
  const std::string found = "\n" + found_in(report);
  EXPECT_NE(found.find(fmt::format("\n{}: ", GetParam().path)), found.npos) << "found: " << found;
}

const Break kBreaks[] = {
    {"missing_top", [](Json& j) { j.erase("verdict"); }, ""},
    {"missing_field", [](Json& j) { j["cases"][0].erase("rates"); }, "/cases/0"},
    {"unknown_outcome", [](Json& j) { j["cases"][0]["outcome"] = "great"; }, "/cases/0/outcome"},
    {"text_for_number", [](Json& j) { j["cases"][0]["work"]["flops"] = "1e9"; },
     "/cases/0/work/flops"},
    {"negative_time", [](Json& j) { j["phases_s"]["wall"] = -1; }, "/phases_s/wall"},
    {"bad_verdict", [](Json& j) { j["verdict"]["state"] = "maybe"; }, "/verdict/state"},
    {"other_version", [](Json& j) { j["schema"]["version"] = 2; }, "/schema/version"},
    {"no_time", [](Json& j) { j["cases"][0]["time_s"] = nullptr; }, "/cases/0/time_s"},
    {"time_of_skipped", [](Json& j) { j["cases"].back()["time_s"] = j["cases"][0]["time_s"]; },
     "/cases/7/time_s"},
    {"no_reason", [](Json& j) { j["cases"].back()["reason"] = ""; }, "/cases/7/reason"},
    {"interval",
     [](Json& j) {
       j["cases"][0]["time_s"]["ci95"] = {2, 1};
     },
     "/cases/0/time_s/ci95"},
    {"quantiles", [](Json& j) { j["cases"][0]["time_s"]["p75"] = 0.1; }, "/cases/0/time_s/p75"},
    {"twice", [](Json& j) { j["cases"].push_back(j["cases"][0]); }, "/cases/8"},
    {"wrong_yet_measured", [](Json& j) { j["cases"][0]["verify"]["status"] = "wrong"; },
     "/cases/0/outcome"},
    {"reference_gone", [](Json& j) { j["references"].erase(1); }, "/references"},
    {"no_why_not", [](Json& j) { j["references"][0]["why_not"] = ""; }, "/references/0/why_not"},
    {"unknown_limit", [](Json& j) { j["cases"][5]["roofline"]["limit"] = "network"; },
     "/cases/5/roofline"},
    {"limit_without_fraction", [](Json& j) { j["cases"][5]["roofline"]["of_limit"] = nullptr; },
     "/cases/5/roofline/limit"},
    {"farther_limit", [](Json& j) { j["cases"][5]["roofline"]["limit"] = "stream"; },
     "/cases/5/roofline/limit"},
    {"one_variant", [](Json& j) { j["comparisons"][0]["variants"].erase(1); },
     "/comparisons/0/variants"},
    {"baseline_gone", [](Json& j) { j["comparisons"][0]["baseline_variant"] = "other"; },
     "/comparisons/0/baseline_variant"},
    {"time_of_wrong_variant",
     [](Json& j) { j["comparisons"][0]["variants"][1]["outcome"] = "wrong"; },
     "/comparisons/0/variants/1/time_s"},
    {"ratio_outside", [](Json& j) { j["comparisons"][0]["variants"][1]["ratio"]["high"] = 0.5; },
     "/comparisons/0/variants/1/ratio"},
    {"closure_of_nothing", [](Json& j) { j["closure"][0]["parts"].clear(); },
     "/closure/0/kernels_s"},
    {"closure_of_unknown", [](Json& j) { j["closure"][0]["case"] = "other"; }, "/closure/0/case"},
    {"part_of_unknown", [](Json& j) { j["closure"][0]["parts"][0]["case"] = "other"; },
     "/closure/0/parts/0/case"},
    {"flanks_of_skipped", [](Json& j) { j["cases"].back()["flanked"] = flanked(); },
     "/cases/7/flanked"},
    {"half_a_group",
     [](Json& j) {
       j["cases"][0]["flanked"] = flanked();
       j["cases"][0]["flanked"]["n"] = 14;
     },
     "/cases/0/flanked/n"},
    {"ratio_order",
     [](Json& j) {
       j["cases"][0]["flanked"] = flanked();
       j["cases"][0]["flanked"]["ratio"]["p25"] = 0.95;
     },
     "/cases/0/flanked/ratio/median"},
    {"ratio_gone",
     [](Json& j) {
       j["cases"][0]["flanked"] = flanked();
       j["cases"][0]["flanked"].erase("ratio");
     },
     "/cases/0/flanked"},
    {"point_order",
     [](Json& j) { std::swap(j["scaling"]["points"][0], j["scaling"]["points"][1]); },
     "/scaling/points/1/ranks"},
};
INSTANTIATE_TEST_SUITE_P(Validate, Broken, testing::ValuesIn(kBreaks),
                         [](const auto& one) { return std::string(one.param.what); });

TEST(Validate, AcceptsAReportAndFieldsItDoesNotKnow) {
  Json report = valid_report();
  EXPECT_EQ(found_in(report), "");
  report["cases"][0]["new_field"] = 1;
  report["cases"][0]["flanked"] = flanked();
  EXPECT_EQ(found_in(report), "");
}

TEST(Validate, AcceptsAnInterruptedReportWithNothingMeasured) {
  schema::Report report;
  reports::finish(report, {});
  report.verdict = {.state = "no_verdict", .reasons = {"interrupted"}};
  EXPECT_EQ(found_in(Json::parse(schema::to_json(report))), "");
}

TEST(Validate, ThrowsForTextThatIsNoJson) {
  EXPECT_THROW(schema::validate("{", "run.json"), UsageError);
  EXPECT_THROW(schema::validate("", "run.json"), UsageError);
}

TEST(Validate, TheSchemaRequiresEveryFieldOfACase) {
  const Json schema = Json::parse(schema::schema_text());
  const Json& required = schema["definitions"]["case"]["required"];
  for (const char* field : {"name", "outcome", "time_s", "ranks_time_s", "of_ceiling", "samples_s"})
    EXPECT_NE(std::find(required.begin(), required.end(), field), required.end()) << field;
}

}  // namespace
}  // namespace bench
