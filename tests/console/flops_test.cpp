// The formulas against published tables, and the two forms in which `bench flops` prints them.
#include "reports/flops/flops.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "bench/base/status.h"
#include "tests/console/golden.h"

namespace bench::reports {
namespace {

using Json = nlohmann::json;

// Megatron-LM's README of September 2020, V100 DGX-2: batch 8, s = 1024, V = 51 200, tensor
// parallel over all GPUs.
struct PublishedRow {
  int hidden, heads, layers, gpus;
  double step_ms, tflops_per_gpu, scaling_percent, billion_parameters;
};
constexpr PublishedRow kReadme2020[] = {{1920, 15, 24, 1, 1121, 71.9, 100.0, 1.16},
                                        {2304, 18, 30, 2, 1093, 64.2, 89.6, 2.03},
                                        {3072, 24, 36, 4, 1238, 58.5, 82.5, 4.24},
                                        {4096, 32, 42, 8, 1407, 52.2, 74.3, 8.67}};

// NVIDIA's page of V1.0, the same shapes on DGX-2H: step in ms, scaling in percent.
constexpr double kDgx2h[][2] = {{1288, 100}, {1242, 90.7}, {1357, 86.5}, {1508, 79.6}};

FlopsInput input_of(const PublishedRow& row) {
  return {
      .model = model::parse_model(fmt::format("layers={},hidden={},heads={},seq=1024,vocab=51200",
                                              row.layers, row.hidden, row.heads)),
      .batch = 8,
      .gpus = row.gpus,
      .step_seconds = row.step_ms / 1000};
}

FlopsInput gpt2(double step_seconds, int64_t batch = 8, int64_t gpus = 1) {
  return {.model = model::parse_model("gpt2-124m"),
          .batch = batch,
          .gpus = gpus,
          .step_seconds = step_seconds};
}

TEST(Flops, reproducesTheReadmeTable) {
  for (const PublishedRow& row : kReadme2020) {
    SCOPED_TRACE(row.gpus);
    const FlopsResult r = compute_flops(input_of(row), input_of(kReadme2020[0]));
    EXPECT_NEAR(r.tflops_per_gpu.hardware_full_recompute, row.tflops_per_gpu, 0.1);
    EXPECT_NEAR(100 * r.efficiency->parameters, row.scaling_percent, 0.15);
    EXPECT_NEAR(r.parameters_by_formula / 1e9, row.billion_parameters, 0.005);
  }
}

TEST(Flops, reproducesTheScalingOfTheDgx2h) {
  FlopsInput base = input_of(kReadme2020[0]);
  base.step_seconds = kDgx2h[0][0] / 1000;
  for (size_t i = 0; i < std::size(kDgx2h); ++i) {
    FlopsInput input = input_of(kReadme2020[i]);
    input.step_seconds = kDgx2h[i][0] / 1000;
    EXPECT_NEAR(100 * compute_flops(input, base).efficiency->parameters, kDgx2h[i][1], 0.15);
  }
}

// Shoeybi 2019: 39 TFLOP/s at 1.2 B and batch 8 is hardware with recompute; 29.7 model TFLOP/s, 3
// 701 tokens/s.
TEST(Flops, tellsTheThreeNamesOfTheSameSpeedApart) {
  FlopsInput input{.model = model::parse_model("megatron-1.2b,vocab=51200"),
                   .batch = 8,
                   .gpus = 1,
                   .step_seconds = 8 * 1024 / 3701.0};
  const FlopsResult r = compute_flops(input);
  EXPECT_NEAR(r.tflops_per_gpu.hardware_full_recompute, 39.0, 0.05);
  EXPECT_NEAR(r.tflops_per_gpu.model, 29.7, 0.05);
  EXPECT_NEAR(r.tokens_per_s, 3701, 0.01);
  EXPECT_LT(r.tflops_per_gpu.model_causal, r.tflops_per_gpu.model);
}

TEST(Flops, countsParametersExactly) {
  EXPECT_EQ(compute_flops(gpt2(1)).parameters, 124'439'808);
  EXPECT_EQ(compute_flops(gpt2(1)).padded_vocab, 50'304);
}

TEST(Flops, timeEfficiencyIsForTheSameModelOnly) {
  const FlopsResult grows = compute_flops(input_of(kReadme2020[1]), input_of(kReadme2020[0]));
  EXPECT_FALSE(grows.efficiency->time);
  EXPECT_NE(grows.efficiency->time_why_not, "");
  // Strong form: 2.98 times as fast on 8 GPUs. Weak form: T_1 / T_n.
  EXPECT_DOUBLE_EQ(*compute_flops(gpt2(1 / 2.98, 8, 8), gpt2(1)).efficiency->time, 2.98 / 8);
  EXPECT_DOUBLE_EQ(*compute_flops(gpt2(1.25, 32, 4), gpt2(1, 8, 1)).efficiency->time, 0.8);
}

TEST(Flops, refusesNumbersThatAreNone) {
  for (double seconds : {0.0, -1.0, std::nan(""), std::numeric_limits<double>::infinity()})
    EXPECT_THROW(compute_flops(gpt2(seconds)), UsageError) << seconds;
  EXPECT_THROW(compute_flops(gpt2(1, 0)), UsageError);
  EXPECT_THROW(compute_flops(gpt2(1, 8, 0)), UsageError);
  try {
    compute_flops(gpt2(1), gpt2(-2));
    FAIL() << "a baseline of -2 s was taken";
  } catch (const UsageError& e) {
    EXPECT_STREQ(e.what(), "--baseline-step-seconds must be a positive number, not -2");
  }
}

TEST(FlopsText, isAsTheGoldenFile) {
  test::expect_golden(flops_text(compute_flops(gpt2(0.125))), "flops.txt");
  test::expect_golden(flops_text(compute_flops(input_of(kReadme2020[3]), input_of(kReadme2020[0]))),
                      "flops_baseline.txt");
}

TEST(FlopsJson, hasTheNamesThatScriptsReadAndNoOthersAreMissing) {
  const FlopsResult r = compute_flops(input_of(kReadme2020[3]), input_of(kReadme2020[0]));
  const Json json = Json::parse(flops_json(r));
  EXPECT_EQ(json.at("model").at("parameters"), r.parameters);
  for (const char* group : {"flops_per_step", "tflops_per_gpu"})
    for (const char* formula :
         {"model", "model_causal", "hardware_full_recompute", "hardware_selective"})
      EXPECT_GT(json.at(group).at(formula).get<double>(), 0) << group << "." << formula;
  EXPECT_NEAR(json.at("tflops_per_gpu").at("hardware_full_recompute").get<double>(), 52.2, 0.1);
  EXPECT_EQ(json.at("tokens_per_s"), r.tokens_per_s);
  EXPECT_EQ(json.at("efficiency").at("flops"), r.efficiency->flops);
  EXPECT_EQ(json.at("efficiency").at("parameters"), r.efficiency->parameters);
  EXPECT_TRUE(json.at("efficiency").at("time").is_null());
}

TEST(FlopsJson, speaksOfEfficiencyOnlyWithABaseline) {
  EXPECT_FALSE(Json::parse(flops_json(compute_flops(gpt2(1)))).contains("efficiency"));
  const Json json = Json::parse(flops_json(compute_flops(gpt2(2), gpt2(1))));
  EXPECT_EQ(json.at("efficiency").at("time"), 0.5);
}

}  // namespace
}  // namespace bench::reports
