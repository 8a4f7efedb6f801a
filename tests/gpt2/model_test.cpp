#include "bench/model/model.h"

#include <gtest/gtest.h>

#include <tuple>

#include "bench/base/status.h"

namespace bench::model {
namespace {

TEST(Model, CountsParametersExactly) {
  const std::pair<const char*, int64_t> cases[] = {{"gpt2-124m", 124'439'808},
                                                   {"gpt2-345m", 354'823'168},
                                                   {"gpt2-774m", 774'030'080},
                                                   {"gpt2-1558m", 1'557'611'200}};
  for (const auto& [name, count] : cases)
    EXPECT_EQ(parameter_count(parse_model(name)), count) << name;
}

TEST(Model, PaperSeriesHasThePublishedSizesAndHeadSize96) {
  const std::tuple<const char*, double, int64_t> cases[] = {{"megatron-1.2b", 1.2e9, 1536},
                                                            {"megatron-2.5b", 2.5e9, 1920},
                                                            {"megatron-4.2b", 4.2e9, 2304},
                                                            {"megatron-8.3b", 8.3e9, 3072}};
  for (const auto& [name, parameters, hidden] : cases) {
    const ModelConfig m = parse_model(name);
    EXPECT_EQ(m.hidden, hidden);
    EXPECT_EQ(m.hidden / m.heads, 96);
    EXPECT_NEAR(parameter_formula(m, 51200), parameters, 0.05e9) << name;
  }
}

TEST(Model, MiniatureIsAnEighthOfThePaperSeries) {
  const std::pair<const char*, const char*> cases[] = {{"megatron-mini-mp1", "megatron-1.2b"},
                                                       {"megatron-mini-mp2", "megatron-2.5b"},
                                                       {"megatron-mini-mp4", "megatron-4.2b"},
                                                       {"megatron-mini-mp8", "megatron-8.3b"}};
  for (const auto& [small, large] : cases) {
    const ModelConfig a = parse_model(small), b = parse_model(large);
    EXPECT_EQ(a.hidden * 8, b.hidden);
    EXPECT_EQ(a.heads * 2, b.heads);
    EXPECT_EQ(a.hidden / a.heads, 24);
    EXPECT_EQ(a.layers, (b.layers + 4) / 8);
    EXPECT_EQ(a.seq * 8, b.seq);
    EXPECT_EQ(a.vocab, b.vocab / 8);
  }
}

TEST(Model, PadsTheVocabularyTo128TimesTensorRanks) {
  EXPECT_EQ(padded_vocab(50257, 1), 50304);
  EXPECT_EQ(padded_vocab(50257, 8), 51200);
  EXPECT_EQ(padded_vocab(6282, 1), 6400);
  EXPECT_EQ(padded_vocab(6282, 2), 6400);
  EXPECT_EQ(padded_vocab(6282, 8), 7168);
  EXPECT_EQ(padded_vocab(384, 3), 384);
}

struct PublishedRow {
  const char* model;
  double gpus, step_s, tflops, scaling_percent;
};

// Megatron-LM's README of September 2020: batch 8 on DGX-2, tensor parallel over all GPUs, V =
// 51200.
constexpr PublishedRow kReadme2020[] = {
    {"layers=24,hidden=1920,heads=15,seq=1024,vocab=50257", 1, 1.121, 71.9, 100.0},
    {"layers=30,hidden=2304,heads=18,seq=1024,vocab=50257", 2, 1.093, 64.2, 89.6},
    {"layers=36,hidden=3072,heads=24,seq=1024,vocab=50257", 4, 1.238, 58.5, 82.5},
    {"layers=42,hidden=4096,heads=32,seq=1024,vocab=50257", 8, 1.407, 52.2, 74.3}};

TEST(Flops, FullRecomputeReproducesThePublishedTable) {
  for (const PublishedRow& row : kReadme2020) {
    const StepFlops f = step_flops(parse_model(row.model), 8, 51200);
    EXPECT_NEAR(f.hardware_full_recompute / row.step_s / row.gpus / 1e12, row.tflops, 0.1);
  }
}

TEST(Flops, ParameterEfficiencyReproducesThePublishedScaling) {
  const PublishedRow& base = kReadme2020[0];
  const double one = parameter_formula(parse_model(base.model), 51200) / base.step_s;
  for (const PublishedRow& row : kReadme2020) {
    const double here = parameter_formula(parse_model(row.model), 51200) / (row.gpus * row.step_s);
    EXPECT_NEAR(100 * here / one, row.scaling_percent, 0.15);
  }
}

TEST(Flops, FormulasDifferByWhatTheySay) {
  const ModelConfig m = parse_model("megatron-1.2b");
  const StepFlops f = step_flops(m, 8, 51200);
  // 39 TFLOP/s with full recompute are 29.7 without, as published figures convert.
  EXPECT_NEAR(39 * f.model / f.hardware_full_recompute, 29.7, 0.05);
  const double attention = 12.0 * 8 * 1024 * 1024 * 40 * 1536;  // 72 B s l h^2 * s/(6h)
  EXPECT_NEAR((f.model - f.model_causal) / (attention / 2), 1, 1e-9);
  EXPECT_NEAR((f.hardware_selective - f.model) / attention, 1, 1e-9);
}

TEST(ParseModel, OverridesAPreset) {
  const ModelConfig m = parse_model("gpt2-124m,seq=256");
  EXPECT_EQ(m.seq, 256);
  EXPECT_EQ(m.hidden, 768);
  EXPECT_EQ(m.name, "l12-h768-a12-s256-v50257");
  EXPECT_EQ(parse_model("gpt2-124m").name, "gpt2-124m");
}

TEST(ParseModel, NamesWhatIsWrong) {
  const std::pair<const char*, const char*> cases[] = {
      {"gpt3", "no preset 'gpt3'"},
      {"", "no preset ''"},
      {"gpt2-124m,depth=3", "no key 'depth'"},
      {"gpt2-124m,seq=x", "not 'x'"},
      {"gpt2-124m,seq=0", "not '0'"},
      {"gpt2-124m,seq=-4", "not '-4'"},
      {"gpt2-124m,hidden=99999999999999999999", "not '99999999999999999999'"},
      {"gpt2-124m,", "comma"},
      {"gpt2-124m,gpt2-345m", "no key=value"},
      {"layers=2,hidden=16,heads=2,seq=8", "'vocab' is missing"},
      {"gpt2-124m,heads=7", "hidden 768 is not divisible by 7 heads"}};
  for (const auto& [text, words] : cases) {
    try {
      parse_model(text);
      ADD_FAILURE() << text << " was accepted";
    } catch (const UsageError& e) {
      EXPECT_NE(std::string(e.what()).find(words), std::string::npos) << e.what();
      EXPECT_NE(std::string(e.what()).find("megatron-8.3b"), std::string::npos);
    }
  }
}

}  // namespace
}  // namespace bench::model
