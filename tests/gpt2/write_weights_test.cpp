// Weights written by any layout are what was trained, as Hugging Face's GPT-2 lays them out.

#include "parallel/gpt2/write_weights.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "bench/base/status.h"
#include "parallel/gpt2/hf_weights.h"
#include "tests/gpt2/harness.h"

namespace bench::gpt2 {
namespace {

std::string path_of(const std::string& leaf) {
  const auto folder = std::filesystem::temp_directory_path() / "bench_write_weights_test";
  std::filesystem::create_directories(folder);
  return (folder / leaf).string();
}

StepConfig config_of(int tp, int dp, int pp) {
  return {.model = {.name = "save", .layers = 2, .hidden = 24, .heads = 4, .seq = 9, .vocab = 61},
          .micro_batch = 1,
          .global_batch = 2 * dp,
          .tp = tp,
          .dp = dp,
          .pp = pp,
          .zero = dp > 1 ? 1 : 0};
}

TEST(WriteWeights, IsReadBackToTheBitWhateverTheLayout) {
  const auto tokens = zipf_tokens(61, 7);
  for (const StepConfig& config : {config_of(1, 1, 1), config_of(2, 2, 1), config_of(2, 1, 2)}) {
    const std::string path = path_of("weights.safetensors");
    test::Tensors<float> trained;
    test::on_ranks<float>(config, [&](TrainingStep<float>& step) {
      step.init(3);
      for (int k = 0; k < 2; ++k) {
        const test::Batch b = test::batch_of(*tokens, config, k, step.data_rank());
        step.step(b.inputs.data(), b.targets.data());
      }
      const auto mine = test::gather_all(step, Held::weight);
      const bool writes = step.data_rank() + step.tensor_rank() + step.stage() == 0;
      if (!writes) return write_weights(step.state(), nullptr);
      trained = mine;
      WeightsFile file(path);
      EXPECT_FALSE(std::filesystem::exists(path));
      write_weights(step.state(), &file);
    });
    EXPECT_FALSE(std::filesystem::exists(path + ".partial"));
    const Safetensors file(path);
    EXPECT_EQ(file.find("h.0.mlp.c_fc.weight")->shape, (std::vector<int64_t>{24, 96}));
    test::on_ranks<float>(config_of(1, 1, 1), [&](TrainingStep<float>& step) {
      step.load(file);
      EXPECT_EQ(test::gather_all(step, Held::weight), trained);
    });
    std::filesystem::remove(path);
  }
}

// The columns of QKV are all heads' queries, then their keys, then their values.
TEST(WriteWeights, PutsQueriesBeforeKeysBeforeValues) {
  const Parameter p{.name = "h.0.attn.c_attn.bias", .full_rows = 12, .full_cols = 1, .dims = 1};
  const model::ModelConfig model{.name = "m", .layers = 1, .hidden = 4, .heads = 2};
  // Ours: head 0 has queries 0 1, keys 2 3, values 4 5; head 1 the rest.
  const std::vector<float> theirs = to_hf(p, model, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11});
  EXPECT_EQ(theirs, (std::vector<float>{0, 1, 6, 7, 2, 3, 8, 9, 4, 5, 10, 11}));
}

TEST(WriteWeights, RefusesAFileThatCannotBeAndLeavesNoHalfOne) {
  EXPECT_THROW(WeightsFile("/no/such/folder/weights.safetensors"), UsageError);
  const std::string path = path_of("half.safetensors");
  { WeightsFile half(path); }
  EXPECT_FALSE(std::filesystem::exists(path));
  EXPECT_FALSE(std::filesystem::exists(path + ".partial"));
}

}  // namespace
}  // namespace bench::gpt2
