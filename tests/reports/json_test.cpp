#include "reports/schema/json.h"

#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "bench/base/status.h"
#include "reports/derive/finish.h"
#include "tests/reports/sample.h"

namespace bench {
namespace {

using Json = nlohmann::json;

schema::Report finished() {
  schema::Report report = test::sample_report();
  for (const char* variant : {"flash", "unfused"}) {
    report.cases.insert(report.cases.begin() + 2,
                        test::kernel_case("attention", 12, {0.01, 0.02, 0.01}));
    report.cases[2].params["variant"] = std::string(variant);
    report.cases[2].work = {.flops = 1e9, .bytes = 1e6, .tokens = {}};
  }
  const schema::ScalingPlan plan = test::sample_plan();
  reports::finish(report, {&plan, 1});
  return report;
}

std::string error_of(const std::string& text) {
  try {
    schema::from_json(text, "run.json");
  } catch (const UsageError& e) {
    return e.what();
  }
  return "no error";
}

TEST(Json, HasEveryTopLevelFieldOfTheContract) {
  const Json j = Json::parse(schema::to_json(schema::Report{}));
  for (const char* field :
       {"schema", "run", "environment", "ceilings", "cases", "training", "scaling", "scaling_more",
        "comparisons", "closure", "phases_s", "references", "verdict", "benchmarks", "context"})
    EXPECT_TRUE(j.contains(field)) << field;
  EXPECT_EQ(j["schema"]["name"], "bench.report");
  EXPECT_EQ(j["schema"]["version"], 1);
}

TEST(Json, WritesMissingAndNonFiniteNumbersAsNull) {
  schema::Report report = finished();
  report.training[0].losses[1] = std::nan("");
  report.cases[0].verify.error = INFINITY;
  const Json j = Json::parse(schema::to_json(report));
  EXPECT_TRUE(j["training"][0]["losses"][1].is_null());
  EXPECT_TRUE(j["cases"][0]["verify"]["error"].is_null());
  EXPECT_TRUE(j["cases"][0]["time_s"]["p99"].is_null());
  EXPECT_TRUE(j["environment"]["cuda"].is_null());
}

TEST(Json, AnUnmeasuredCaseIsThereWithoutATime) {
  const Json j = Json::parse(schema::to_json(finished()));
  const Json& skipped = j["cases"].back();
  EXPECT_EQ(skipped["outcome"], "skipped");
  EXPECT_TRUE(skipped["time_s"].is_null());
  EXPECT_EQ(skipped["reason"], "one rank has nothing to overlap");
}

TEST(Json, ReadsBackWhatItWrote) {
  const std::string text = schema::to_json(finished());
  const schema::Report again = schema::from_json(text, "run.json");
  EXPECT_EQ(schema::to_json(again), text);
  EXPECT_EQ(again.scaling->points[1].model, "megatron-mini-mp2");
  EXPECT_EQ(std::get<std::string>(again.cases[0].params.at("model")), "megatron-mini-mp1");
  EXPECT_EQ(again.cases[2].roofline->limit, "gemm");
  EXPECT_EQ(again.comparisons.at(0).variants.at(1).variant, "flash");
  EXPECT_EQ(again.closure.at(0).parts.at(0).case_name, "attention");
}

TEST(Json, ReadsAReportFromBeforeKernelsWereCompared) {
  Json j = Json::parse(schema::to_json(finished()));
  j.erase("comparisons");
  j.erase("closure");
  for (Json& c : j["cases"]) c.erase("roofline");
  const schema::Report again = schema::from_json(j.dump(), "run.json");
  EXPECT_TRUE(again.comparisons.empty());
  EXPECT_FALSE(again.cases[2].roofline);
}

TEST(Json, ReadsBackWhatStoodBetweenFlanks) {
  schema::Report report = finished();
  report.cases[0].flanked = {
      .by = "ceiling.stream.copy_nt",
      .ratio =
          {.median = 0.9, .ci95 = {0.88, 0.91}, .min = 0.8, .p25 = 0.85, .p75 = 0.92, .max = 1},
      .ratio_by_round = {0.9, {}, 0.91},
      .n = 15,
      .dropped = 4,
      .flank_time_s = 0.02};
  const std::string text = schema::to_json(report);
  EXPECT_EQ(schema::to_json(schema::from_json(text, "run.json")), text);
  const Json flanked = Json::parse(text)["cases"][0]["flanked"];
  EXPECT_EQ(flanked["ratio"]["ci95"], Json({0.88, 0.91}));
  EXPECT_TRUE(flanked["ratio_by_round"][1].is_null());
  EXPECT_TRUE(Json::parse(text)["cases"][1]["flanked"].is_null());
}

TEST(Json, ReadsAReportWithoutTheFieldsThatCameLater) {
  Json j = Json::parse(schema::to_json(finished()));
  for (Json& c : j["cases"]) c.erase("flanked");
  EXPECT_FALSE(schema::from_json(j.dump(), "run.json").cases[0].flanked.has_value());
}

TEST(Json, ReadsNumbersThatWereNotFinite) {
  schema::Report report = finished();
  report.training[0].losses[1] = std::nan("");
  const schema::Report again = schema::from_json(schema::to_json(report), "run.json");
  EXPECT_TRUE(std::isnan(again.training[0].losses[1]));
}

TEST(Json, KeepsTextThatIsNoUtf8FromLosingTheReport) {
  schema::Report report = finished();
  report.run.command.push_back("\xff\xfe");
  EXPECT_TRUE(Json::accept(schema::to_json(report)));
}

TEST(Json, NamesLineAndColumnOfTextThatIsNoJson) {
  const std::string words = error_of("{\n  \"schema\": }");
  EXPECT_NE(words.find("run.json"), words.npos) << words;
  EXPECT_NE(words.find("line 2, column 13"), words.npos) << words;
}

TEST(Json, RefusesAnotherVersionAndNamesIt) {
  Json j = Json::parse(schema::to_json(finished()));
  j["schema"]["version"] = 2;
  EXPECT_NE(error_of(j.dump()).find("version 2"), std::string::npos);
  EXPECT_NE(error_of("[]").find("bench.report"), std::string::npos);
}

TEST(Json, NamesThePathOfAFieldOfAnotherType) {
  Json j = Json::parse(schema::to_json(finished()));
  j["cases"][0]["time_s"]["median"] = "fast";
  const std::string words = error_of(j.dump());
  EXPECT_NE(words.find("cases/0/time_s/median"), words.npos) << words;
}

TEST(Json, WritesGoogleBenchmarksFieldNames) {
  const std::vector<schema::BenchmarkEntry> entries = {
      {.name = "a", .run_name = "a", .run_type = "iteration", .iterations = 3, .real_time = 5},
      {.name = "a_mean",
       .run_name = "a",
       .run_type = "aggregate",
       .aggregate_name = "mean",
       .aggregate_unit = "time"}};
  const Json j = Json::parse(schema::to_json(schema::Report{}, {.host_name = "node"}, entries));
  EXPECT_EQ(j["context"]["host_name"], "node");
  EXPECT_EQ(j["benchmarks"][0]["repetition_index"], 0);
  EXPECT_FALSE(j["benchmarks"][0].contains("aggregate_name"));
  EXPECT_EQ(j["benchmarks"][1]["aggregate_name"], "mean");
  EXPECT_FALSE(j["benchmarks"][1].contains("repetition_index"));
}

TEST(Journal, IsOneObjectALineAndSaysItsType) {
  const schema::Report report = finished();
  const std::string lines[] = {schema::journal_run(report), schema::journal_case(report.cases[0]),
                               schema::journal_training(report.training[0]),
                               schema::journal_end(report)};
  const char* types[] = {"run", "case", "training", "end"};
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(lines[i].find('\n'), lines[i].size() - 1);
    EXPECT_EQ(Json::parse(lines[i])["type"], types[i]);
  }
}

}  // namespace
}  // namespace bench
