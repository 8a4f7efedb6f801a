// Where a step's time goes: the arithmetic on made-up ranks, and whole steps with a delay planted.

#include "bench/runner/split.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <mutex>

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

// Each rank has a clock of its own, which stands still but where a delay is planted, and goes on to
// the latest of those that a collective or a message makes it wait for.
class LogicalTime final : public Communicator {
 public:
  LogicalTime(Communicator& inner, FakeClock& clock) : inner_(inner), clock_(clock) {}
  LogicalTime(std::unique_ptr<Communicator> inner, FakeClock& clock)
      : owned_(std::move(inner)), inner_(*owned_), clock_(clock) {}

  int rank() const override { return inner_.rank(); }
  int size() const override { return inner_.size(); }
  std::string_view kind() const override { return inner_.kind(); }
  void barrier(Stream s) override { meet(s); }
  void all_reduce(Stream s, const void* send, void* recv, int64_t count, DType t,
                  ReduceOp op) override {
    meet(s);
    inner_.all_reduce(s, send, recv, count, t, op);
  }
  void reduce_scatter(Stream s, const void* send, void* recv, int64_t count, DType t,
                      ReduceOp op) override {
    meet(s);
    inner_.reduce_scatter(s, send, recv, count, t, op);
  }
  void all_gather(Stream s, const void* send, void* recv, int64_t count, DType t) override {
    meet(s);
    inner_.all_gather(s, send, recv, count, t);
  }
  void broadcast(Stream s, void* buffer, int64_t count, DType t, int root) override {
    meet(s);
    inner_.broadcast(s, buffer, count, t, root);
  }
  void send(Stream, const void*, int64_t, DType, int, int) override { FAIL(); }
  void recv(Stream, void*, int64_t, DType, int, int) override { FAIL(); }
  void exchange(Stream s, std::span<const Outgoing> sends, std::span<const Incoming> receives,
                DType t, int tag) override {
    const double now = static_cast<double>(clock_.now_ns());
    std::vector<double> theirs(receives.size());
    std::vector<Outgoing> out;
    std::vector<Incoming> in;
    for (const Outgoing& m : sends) out.push_back({.buffer = &now, .count = 1, .to = m.to});
    for (size_t i = 0; i < receives.size(); ++i)
      in.push_back({.buffer = &theirs[i], .count = 1, .from = receives[i].from});
    inner_.exchange(s, out, in, DType::f64, tag);
    for (const double time : theirs) wait_until(time);
    inner_.exchange(s, sends, receives, t, tag);
  }
  std::unique_ptr<Communicator> split(int color, int key) override {
    return std::make_unique<LogicalTime>(inner_.split(color, key), clock_);
  }

 private:
  void meet(Stream s) {
    double time = static_cast<double>(clock_.now_ns());
    inner_.all_reduce(s, &time, &time, 1, DType::f64, ReduceOp::max);
    wait_until(time);
  }
  void wait_until(double time) {
    clock_.advance_ns(std::max<int64_t>(0, static_cast<int64_t>(time) - clock_.now_ns()));
  }

  std::unique_ptr<Communicator> owned_;
  Communicator& inner_;
  FakeClock& clock_;
};

constexpr double kDelay_s = 1;

// A delay inside of every range of a name.
class Delay final : public Tracer {
 public:
  Delay(Tracer& inner, FakeClock& clock, std::string where)
      : inner_(inner), clock_(clock), where_(std::move(where)) {}
  void push(Stream s, const char* name, int64_t payload) override {
    inner_.push(s, name, payload);
    if (name == where_) clock_.advance_ns(static_cast<int64_t>(kDelay_s * 1e9));
  }
  void pop(Stream s) override { inner_.pop(s); }
  bool recording() const override { return inner_.recording(); }

 private:
  Tracer& inner_;
  FakeClock& clock_;
  std::string where_;
};

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

// The split of steps in which `delayed`, a world rank, takes a second more in every range `where`,
// and nothing else takes any time.
Values split_with_delay(const gpt2::StepConfig& config, int delayed, const std::string& where) {
  Values result;
  std::mutex mutex;
  const auto tokens = gpt2::zipf_tokens(config.model.vocab, 7);
  run_ranks(config.mesh().ranks(), [&](Communicator& inner) {
    FakeClock clock;
    LogicalTime timed(inner, clock);
    CollectiveCounts counts;
    CountingCommunicator world(timed, counts, clock);
    CpuDevice device(1);
    trace::Recorder recorder(clock);
    Delay tracer(recorder, clock, inner.rank() == delayed ? where : "");
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

// Four micro-batches; means over a rank that is delayed and one that waits for it.
TEST(Split, ADelayInOneRanksBackwardIsSkewOfThatRank) {
  for (const auto& config : {config_of(1, 2, 1), config_of(2, 1, 1)}) {
    const Values v = split_with_delay(config, 1, "backward");
    expect_sums(v);
    EXPECT_EQ(seconds(v, "slowest_rank"), 1);
    EXPECT_NEAR(seconds(v, "step"), 4 * kDelay_s, 1e-9);
    EXPECT_NEAR(seconds(v, "skew"), 2 * kDelay_s, 1e-9);
    EXPECT_NEAR(seconds(v, "compute"), 2 * kDelay_s, 1e-9);
    EXPECT_NEAR(seconds(v, "exposed_comm"), 0, 1e-9);
    EXPECT_NEAR(seconds(v, "other"), 0, 1e-9);
  }
}

TEST(Split, ASlowSendIsExposedCommunicationOfThePipeline) {
  const Values v = split_with_delay(config_of(1, 1, 2), 0, "pp.exchange");
  expect_sums(v);
  EXPECT_GT(seconds(v, "step"), 3 * kDelay_s);
  EXPECT_NEAR(seconds(v, "exposed_pipeline"), seconds(v, "step"), 1e-9);
  EXPECT_NEAR(seconds(v, "skew"), 0, 1e-9);
  EXPECT_EQ(seconds(v, "exposed_data"), 0);
}

TEST(Split, ASlowSumOfGradientsIsExposedCommunicationOfTheDataRanks) {
  const Values v = split_with_delay(config_of(1, 2, 1), 0, "dp.all_reduce");
  expect_sums(v);
  EXPECT_GT(seconds(v, "step"), kDelay_s);
  EXPECT_NEAR(seconds(v, "exposed_data"), seconds(v, "step"), 1e-9);
  EXPECT_NEAR(seconds(v, "skew"), 0, 1e-9);
  EXPECT_EQ(seconds(v, "exposed_pipeline"), 0);
}

}  // namespace
}  // namespace bench::runner
