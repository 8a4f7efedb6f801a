// Where a step's time goes: the arithmetic on made-up ranks, and whole steps with a delay planted.

#include "bench/runner/split.h"

#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <mutex>
#include <thread>

#include "tests/gpt2/harness.h"

namespace bench::runner {
namespace {

using Values = std::map<std::string, schema::Value>;

double seconds(const Values& v, const std::string& part) { return v.at("split." + part).value; }

void expect_sums(const Values& v) {
  double parts = 0;
  for (const char* part : {"compute", "exposed_comm", "bubble", "optimizer", "skew", "other"})
    parts += seconds(v, part);
  EXPECT_NEAR(parts, seconds(v, "step"), 1e-9 * seconds(v, "step"));
  EXPECT_NEAR(
      seconds(v, "exposed_tensor") + seconds(v, "exposed_data") + seconds(v, "exposed_pipeline"),
      seconds(v, "exposed_comm"), 1e-9 * seconds(v, "step"));
}

TEST(Split, WhoWaitsLeastIsWaitedFor) {
  const std::array<RankSplit, 3> ranks = {
      RankSplit{.step = 10, .compute = 6, .optimizer = 1, .tensor = 1, .data = 2},
      RankSplit{.step = 10, .compute = 8, .optimizer = 1, .tensor = 0.5, .data = 0.5},
      RankSplit{.step = 10, .compute = 6, .optimizer = 1, .tensor = 1, .data = 2}};
  const Values v = combine_splits(ranks, 0);
  expect_sums(v);
  EXPECT_DOUBLE_EQ(seconds(v, "exposed_tensor"), 0.5);
  EXPECT_DOUBLE_EQ(seconds(v, "exposed_data"), 0.5);
  EXPECT_NEAR(seconds(v, "skew"), (2 + 0 + 2) / 3.0, 1e-12);
  EXPECT_EQ(seconds(v, "slowest_rank"), 1);
  EXPECT_EQ(seconds(v, "bubble"), 0);
}

// Two stages, four micro-batches: each idles for a quarter of its arithmetic.
TEST(Split, WhatASchedulesBubbleExplainsIsNoExposedMessage) {
  std::array<RankSplit, 2> ranks = {
      RankSplit{.step = 10.5, .compute = 8, .optimizer = 0.5, .pipeline = 2},
      RankSplit{.step = 10.5, .compute = 8, .optimizer = 0.5, .pipeline = 2}};
  const Values ideal = combine_splits(ranks, 0.25);
  EXPECT_DOUBLE_EQ(seconds(ideal, "bubble"), 2);
  EXPECT_DOUBLE_EQ(seconds(ideal, "exposed_pipeline"), 0);
  EXPECT_DOUBLE_EQ(seconds(ideal, "other"), 0);
  for (RankSplit& r : ranks) {
    r.step += 3;
    r.pipeline += 3;
  }
  const Values slow = combine_splits(ranks, 0.25);
  EXPECT_DOUBLE_EQ(seconds(slow, "bubble"), 2);
  EXPECT_DOUBLE_EQ(seconds(slow, "exposed_pipeline"), 3);
  EXPECT_DOUBLE_EQ(seconds(slow, "skew"), 0);
  expect_sums(slow);
}

// Sleeps inside of every range of a name, on one rank.
class Sleeper final : public Tracer {
 public:
  Sleeper(Tracer& inner, std::string where) : inner_(inner), where_(std::move(where)) {}
  void push(Stream s, const char* name, int64_t payload) override {
    inner_.push(s, name, payload);
    if (name == where_) std::this_thread::sleep_for(kSleep);
  }
  void pop(Stream s) override { inner_.pop(s); }
  bool recording() const override { return inner_.recording(); }

  static constexpr std::chrono::milliseconds kSleep{100};

 private:
  Tracer& inner_;
  std::string where_;
};
// Far more than what a loaded machine adds by chance, and only halves of it are asked for.
constexpr double kSleep_s = 0.1;

class Steps final : public measure::Subject {
 public:
  Steps(gpt2::TrainingStep<float>& step, gpt2::test::Batch batch)
      : step_(step), batch_(std::move(batch)) {}
  void enqueue(int64_t n) override {
    for (int64_t i = 0; i < n; ++i) step_.step(batch_.inputs.data(), batch_.targets.data());
  }
  void synchronize() override {}
  schema::Verify check() override { return {}; }
  void reset() override {}

 private:
  gpt2::TrainingStep<float>& step_;
  gpt2::test::Batch batch_;
};

gpt2::StepConfig config_of(int tp, int dp, int pp) {
  return {.model = {.name = "split", .layers = 2, .hidden = 32, .heads = 4, .seq = 16, .vocab = 64},
          .micro_batch = 1,
          .global_batch = 4 * dp,
          .tp = tp,
          .dp = dp,
          .pp = pp};
}

// The split of steps in which `sleeper`, a world rank, sleeps in every range `where`.
Values split_with_delay(const gpt2::StepConfig& config, int sleeper, const std::string& where) {
  Values result;
  std::mutex mutex;
  const auto tokens = gpt2::zipf_tokens(config.model.vocab, 7);
  run_ranks(config.mesh().ranks(), [&](Communicator& inner) {
    SteadyClock clock;
    CollectiveCounts counts;
    CountingCommunicator world(inner, counts, clock);
    CpuDevice device(1);
    trace::Recorder recorder(clock);
    Sleeper tracer(recorder, inner.rank() == sleeper ? where : "");
    const Context context{.device = device, .tracer = tracer};
    gpt2::TrainingStep<float> step(context, world, config,
                                   kernels::ops_for<float>(DeviceKind::cpu));
    step.init(1);
    Steps subject(step, gpt2::test::batch_of(*tokens, config, 0, step.data_rank()));
    const double share =
        static_cast<double>(config.pp - 1) / static_cast<double>(config.batch().accumulation());
    const Values split = split_step(subject, world, recorder, clock, share);
    const std::lock_guard lock(mutex);
    result = split;
  });
  return result;
}

TEST(Split, ASleepInOneRanksBackwardIsSkewOfThatRank) {
  for (const auto& config : {config_of(1, 2, 1), config_of(2, 1, 1)}) {
    const Values v = split_with_delay(config, 1, "backward");
    expect_sums(v);
    EXPECT_EQ(seconds(v, "slowest_rank"), 1);
    // Four micro-batches; the mean over a rank that waits and one that does not.
    EXPECT_GT(seconds(v, "skew"), 0.25 * 4 * kSleep_s);
    EXPECT_GT(seconds(v, "compute"), 0.25 * 4 * kSleep_s);
  }
}

TEST(Split, ASlowSendIsExposedCommunicationOfThePipeline) {
  const Values v = split_with_delay(config_of(1, 1, 2), 0, "pp.exchange");
  expect_sums(v);
  EXPECT_GT(seconds(v, "exposed_pipeline"), 0.3 * seconds(v, "step"));
  EXPECT_EQ(seconds(v, "exposed_data"), 0);
}

TEST(Split, ASlowSumOfGradientsIsExposedCommunicationOfTheDataRanks) {
  const Values v = split_with_delay(config_of(1, 2, 1), 0, "dp.all_reduce");
  EXPECT_GT(seconds(v, "exposed_data"), 0.3 * seconds(v, "step"));
  EXPECT_EQ(seconds(v, "exposed_pipeline"), 0);
}

}  // namespace
}  // namespace bench::runner
