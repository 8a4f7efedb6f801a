// Perplexity of a file of tokens, by windows.

#include "parallel/gpt2/evaluation.h"

#include <gtest/gtest.h>

#include <fstream>
#include <mutex>
#include <nlohmann/json.hpp>
#include <set>

#include "bench/base/status.h"
#include "tests/gpt2/harness.h"

namespace bench::gpt2 {
namespace {

TEST(Windows, EveryTargetIsScoredOnceWithTheLongestContextThereIs) {
  for (const int64_t seq : {1, 5, 8})
    for (int64_t stride = 1; stride <= seq; ++stride)
      for (int64_t tokens = 2; tokens < 30; ++tokens) {
        const WindowPlan plan{.tokens = tokens, .seq = seq, .stride = stride};
        std::multiset<int64_t> targets;
        for (int64_t w = 0; w < plan.windows(); ++w) {
          const layout::Span scored = plan.scored(w);
          ASSERT_GT(scored.size, 0) << seq << " " << stride << " " << tokens << " window " << w;
          for (int64_t i = scored.begin; i < scored.end(); ++i) {
            EXPECT_TRUE(w == 0 || i >= seq - stride);
            targets.insert(plan.first_token(w) + i + 1);
          }
        }
        ASSERT_EQ(targets.size(), static_cast<size_t>(tokens - 1));
        EXPECT_EQ(std::set<int64_t>(targets.begin(), targets.end()).size(), targets.size());
        EXPECT_EQ(*targets.begin(), 1);
        EXPECT_EQ(*targets.rbegin(), tokens - 1);
      }
}

TEST(Windows, RefusesWhatScoresNothingOrLeavesGaps) {
  const auto refuses = [](const WindowPlan& plan) { EXPECT_THROW(plan.validate(), UsageError); };
  refuses({.tokens = 10, .seq = 4, .stride = 5});
  refuses({.tokens = 10, .seq = 4, .stride = 0});
  refuses({.tokens = 1, .seq = 4, .stride = 4});
}

// The first tokens of another source.
class First final : public TokenSource {
 public:
  First(const TokenSource& all, int64_t size)
      : TokenSource(all.vocab()), tokens_(static_cast<size_t>(size)) {
    all.read(0, tokens_);
  }
  std::string_view kind() const override { return "first"; }
  int64_t size() const override { return std::ssize(tokens_); }

 protected:
  void copy(int64_t first, std::span<int32_t> out) const override {
    std::copy_n(tokens_.begin() + first, out.size(), out.begin());
  }
  std::string place(int64_t index) const override { return std::to_string(index); }

 private:
  std::vector<int32_t> tokens_;
};

StepConfig config_of(int tp, int dp, int pp, int64_t micro_batch = 1) {
  return {.model = {.name = "eval", .layers = 2, .hidden = 24, .heads = 4, .seq = 9, .vocab = 61},
          .micro_batch = micro_batch,
          .global_batch = 2 * micro_batch * dp,
          .tp = tp,
          .dp = dp,
          .pp = pp};
}

EvaluationResult evaluate_seeded(const StepConfig& config, int64_t tokens, int64_t stride) {
  EvaluationResult result;
  std::mutex mutex;
  const First source(*zipf_tokens(config.model.vocab, 7), tokens);
  const WindowPlan plan{.tokens = tokens, .seq = config.model.seq, .stride = stride};
  test::on_ranks<double>(config, [&](TrainingStep<double>& step) {
    step.init(3);
    const EvaluationResult here = evaluate(step, source, plan);
    const std::lock_guard lock(mutex);
    if (result.targets > 0) {
      EXPECT_EQ(here.loss, result.loss);
    }
    result = here;
  });
  return result;
}

// One window after the other, scored by hand.
TEST(Evaluation, IsTheMeanOfTheScoredTargets) {
  const StepConfig config = config_of(1, 1, 1);
  const int64_t tokens = 31, seq = config.model.seq, stride = 4;
  const First source(*zipf_tokens(config.model.vocab, 7), tokens);
  double sum = 0;
  int64_t scored = 0;
  test::on_ranks<double>(config, [&](TrainingStep<double>& step) {
    step.init(3);
    std::vector<int32_t> inputs(static_cast<size_t>(2 * seq)), targets(inputs.size());
    int64_t done = 0;  // targets scored
    for (int64_t first = 0; done < tokens - 1; first += stride) {
      source.read(first, std::span(inputs).first(static_cast<size_t>(seq)));
      source.read(first + 1, std::span(targets).first(static_cast<size_t>(seq)));
      step.forward(inputs.data(), targets.data());
      const std::vector<double> losses = step.token_losses();
      for (int64_t i = 0; i < seq; ++i) {
        const int64_t target = first + i + 1;
        if (target <= done || target >= tokens) continue;
        sum += losses[static_cast<size_t>(i)];
        ++scored;
        done = target;
      }
    }
  });
  ASSERT_EQ(scored, tokens - 1);
  const EvaluationResult result = evaluate_seeded(config, tokens, stride);
  EXPECT_EQ(result.targets, tokens - 1);
  EXPECT_NEAR(result.loss, sum / static_cast<double>(scored), 1e-12);
  EXPECT_NEAR(result.perplexity(), std::exp(result.loss), 1e-9);
}

TEST(Evaluation, IsTheSameInEveryParallelForm) {
  for (const int64_t tokens : {8, 10, 40}) {
    const EvaluationResult one = evaluate_seeded(config_of(1, 1, 1), tokens, 3);
    for (const StepConfig& config : {config_of(2, 1, 1), config_of(1, 3, 1), config_of(1, 1, 2),
                                     config_of(2, 2, 2), config_of(1, 1, 1, 4)}) {
      const EvaluationResult many = evaluate_seeded(config, tokens, 3);
      EXPECT_EQ(many.targets, one.targets);
      EXPECT_NEAR(many.loss / one.loss, 1, 1e-12);
    }
  }
}

// The first loss of PyTorch's training is that of the first global batch before any update.
TEST(Evaluation, IsPyTorchsLossOfTheSameTokens) {
  const std::string folder = std::string(BENCH_GOLDEN_DIR) + "/three_layers_five_heads";
  const auto expected = nlohmann::json::parse(std::ifstream(folder + "/expected.json"));
  const auto& m = expected["model"];
  const StepConfig config{.model = {.name = "golden",
                                    .layers = m["layers"],
                                    .hidden = m["hidden"],
                                    .heads = m["heads"],
                                    .seq = m["seq"],
                                    .vocab = m["vocab"]},
                          .micro_batch = 1,
                          .global_batch = 1};
  const int64_t tokens = int64_t{expected["global_batch"]} * config.model.seq + 1;
  const auto all = open_tokens(folder + "/tokens.bin", config.model.vocab);
  const First source(*all, tokens);
  test::on_ranks<double>(config, [&](TrainingStep<double>& step) {
    step.load(Safetensors(folder + "/weights.safetensors"));
    const EvaluationResult result = evaluate(
        step, source, {.tokens = tokens, .seq = config.model.seq, .stride = config.model.seq});
    EXPECT_EQ(result.targets, tokens - 1);
    EXPECT_NEAR(result.loss / double{expected["losses"][0]}, 1, 1e-6);
  });
}

}  // namespace
}  // namespace bench::gpt2
