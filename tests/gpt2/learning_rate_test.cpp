// The learning rate over a run, by formula and as the optimizer takes it.

#include "parallel/gpt2/learning_rate.h"

#include <gtest/gtest.h>

#include "bench/base/status.h"
#include "tests/gpt2/harness.h"

namespace bench::gpt2 {
namespace {

using Decay = LearningRateDecay;

TEST(LearningRate, IsConstantWhereNothingIsSaid) {
  const LearningRateSchedule s;
  for (const int64_t step : {1, 2, 1000000}) EXPECT_EQ(s.at(0.3, step), 0.3);
}

TEST(LearningRate, RisesThenFallsInALine) {
  const LearningRateSchedule s{
      .decay = Decay::linear, .warmup_steps = 4, .decay_steps = 14, .lowest = 1};
  EXPECT_DOUBLE_EQ(s.at(8, 1), 2);
  EXPECT_DOUBLE_EQ(s.at(8, 3), 6);
  EXPECT_DOUBLE_EQ(s.at(8, 4), 8);
  EXPECT_DOUBLE_EQ(s.at(8, 9), 4.5);
  EXPECT_DOUBLE_EQ(s.at(8, 14), 1);
  EXPECT_DOUBLE_EQ(s.at(8, 1000), 1);
}

TEST(LearningRate, FallsInHalfACosine) {
  const LearningRateSchedule s{.decay = Decay::cosine, .warmup_steps = 0, .decay_steps = 12};
  EXPECT_DOUBLE_EQ(s.at(2, 4), 1.5);  // cos(pi / 3) = 1/2
  EXPECT_DOUBLE_EQ(s.at(2, 6), 1);
  EXPECT_NEAR(s.at(2, 8), 0.5, 1e-12);
  EXPECT_EQ(s.at(2, 12), 0);
}

TEST(LearningRate, RefusesWhatDoesNotFitTogether) {
  const auto refuses = [](const LearningRateSchedule& s) {
    EXPECT_THROW(s.validate(1e-3), UsageError);
  };
  refuses({.decay = Decay::cosine});
  refuses({.decay = Decay::linear, .warmup_steps = 5, .decay_steps = 5});
  refuses({.decay = Decay::linear, .decay_steps = 5, .lowest = 1e-2});
  refuses({.decay = Decay::linear, .decay_steps = 5, .lowest = -1});
  refuses({.decay_steps = 5});
  refuses({.lowest = 1e-4});
  refuses({.warmup_steps = -1});
  EXPECT_THROW(parse_decay("step"), UsageError);
  EXPECT_EQ(parse_decay("cosine"), Decay::cosine);
}

StepConfig config_of(double lr) {
  return {.model = {.name = "lr", .layers = 2, .hidden = 16, .heads = 2, .seq = 8, .vocab = 40},
          .micro_batch = 2,
          .global_batch = 2,
          .lr = lr};
}

// The weights after each of three steps, as norms of what they moved.
std::vector<test::Tensors<double>> weights_after_steps(const StepConfig& config) {
  std::vector<test::Tensors<double>> after;
  const auto tokens = zipf_tokens(config.model.vocab, 7);
  test::on_ranks<double>(config, [&](TrainingStep<double>& step) {
    step.init(3);
    for (int k = 0; k < 3; ++k) {
      const test::Batch b = test::batch_of(*tokens, config, k, 0);
      step.step(b.inputs.data(), b.targets.data());
      after.push_back(test::gather_all(step, Held::weight));
    }
  });
  return after;
}

TEST(LearningRate, IsWhatTheUpdatesTake) {
  StepConfig warming = config_of(1e-2);
  warming.schedule.warmup_steps = 2;
  const auto scheduled = weights_after_steps(warming);
  EXPECT_EQ(scheduled[0], weights_after_steps(config_of(0.5e-2))[0]);
  StepConfig falling = config_of(1e-2);
  falling.schedule = {.decay = Decay::linear, .decay_steps = 2};
  const auto stopped = weights_after_steps(falling);
  EXPECT_EQ(stopped[0], weights_after_steps(config_of(0.5e-2))[0]);
  EXPECT_EQ(stopped[2], stopped[1]) << "the rate is zero from the second step on";
  EXPECT_EQ(stopped[1], stopped[0]);
}

}  // namespace
}  // namespace bench::gpt2
