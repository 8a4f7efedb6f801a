// The same model on one rank and on tensor x pipeline x data ranks, with every other way to spread
// or spare work, gives the same training.

#include <gtest/gtest.h>

#include "tests/gpt2/harness.h"

namespace bench::gpt2 {
namespace {

using test::Trajectory;

constexpr int kSteps = 10;
constexpr int64_t kHeadSize = 4;

StepConfig config_of(int tp, int dp, int64_t micro_batch = 1) {
  return {
      .model = {.name = "parity", .layers = 4, .hidden = 48, .heads = 12, .seq = 12, .vocab = 131},
      .micro_batch = micro_batch,
      .global_batch = 12,
      .tp = tp,
      .dp = dp,
      .lr = 1e-3};
}

template <class T>
Trajectory<T> run(const StepConfig& config) {
  const auto tokens = zipf_tokens(config.model.vocab, 7);
  return test::train<T>(config, *tokens, kSteps, [](TrainingStep<T>& step) { step.init(3); });
}

struct Tolerance {
  double loss, gradient, update, key_bias;
};

template <class T>
constexpr Tolerance kTolerance{};
template <>
constexpr Tolerance kTolerance<float>{
    .loss = 2e-6, .gradient = 1e-5, .update = 1e-3, .key_bias = 1e-6};
template <>
constexpr Tolerance kTolerance<double>{
    .loss = 1e-9, .gradient = 1e-9, .update = 1e-9, .key_bias = 1e-12};

template <class T>
void expect_same(const Trajectory<T>& got, const Trajectory<T>& want) {
  const Tolerance& tolerance = kTolerance<T>;
  ASSERT_EQ(got.steps.size(), static_cast<size_t>(kSteps));
  for (size_t k = 0; k < want.steps.size(); ++k) {
    EXPECT_NEAR(got.steps[k].loss / want.steps[k].loss, 1, tolerance.loss) << "step " << k;
    EXPECT_NEAR(got.steps[k].grad_norm / want.steps[k].grad_norm, 1, 10 * tolerance.loss) << k;
  }
  for (const auto& [name, start] : want.start) {
    EXPECT_EQ(got.start.at(name), start) << name << ": initial values depend on the layout";
    const auto kept = [&, &key = name](const std::vector<T>& x) {
      return test::without_key_bias(key, x, kHeadSize);
    };
    EXPECT_LE(test::relative_error(kept(got.first_gradients.at(name)),
                                   kept(want.first_gradients.at(name))),
              tolerance.gradient)
        << name;
    const auto update = test::difference(kept(got.end.at(name)), kept(start));
    const auto wanted = test::difference(kept(want.end.at(name)), kept(start));
    EXPECT_LE(test::relative_error(update, wanted), tolerance.update) << name;
  }
}

template <class T>
void expect_no_key_bias_gradient(const Trajectory<T>& run) {
  for (const char* name : {"h.0.attn.c_attn.bias", "h.1.attn.c_attn.bias"}) {
    const std::vector<T>& g = run.first_gradients.at(name);
    const double keys = test::norm(test::qkv_part(g, kHeadSize, 1));
    const double queries = test::norm(test::qkv_part(g, kHeadSize, 0));
    EXPECT_GT(queries, 0);
    EXPECT_LT(keys, kTolerance<T>.key_bias * queries) << name;
  }
}

template <class T>
const Trajectory<T>& reference() {
  static const Trajectory<T> one_rank = run<T>(config_of(1, 1));
  return one_rank;
}

constexpr int64_t kSmallBucket = 1000;  // bytes: a layer's gradients are in many

struct Form {
  int tp, dp;
  bool sequence = false;
  int pp = 1, virtual_stages = 1;
  Recompute recompute = Recompute::none;
  int zero = 0;
  int64_t bucket_bytes = 25 << 20;

  StepConfig config() const {
    StepConfig c = config_of(tp, dp);
    c.sequence_parallel = sequence;
    c.pp = pp;
    c.virtual_stages = virtual_stages;
    c.recompute = recompute;
    c.zero = zero;
    c.bucket_bytes = bucket_bytes;
    return c;
  }
  std::string name() const {
    std::string text = "tp" + std::to_string(tp);
    if (pp > 1) text += "pp" + std::to_string(pp);
    if (virtual_stages > 1) text += "v" + std::to_string(virtual_stages);
    text += "dp" + std::to_string(dp);
    if (sequence) text += "sequence";
    if (recompute != Recompute::none) text += name_of(recompute);
    if (zero == 1) text += "zero1";
    if (bucket_bytes <= kSmallBucket) text += "buckets";
    return text;
  }
};

class Parity : public testing::TestWithParam<Form> {};

TEST_P(Parity, Float32) { expect_same(run<float>(GetParam().config()), reference<float>()); }

TEST_P(Parity, Float64) { expect_same(run<double>(GetParam().config()), reference<double>()); }

// Tensor {1, 2, 3, 4} x data {1 .. 4} whole, the sequence shared up to two data ranks; and, up to 8
// ranks, pipelines of 2 and 4 stages, plain and interleaved, each number of tensor ranks, of data
// ranks {1, 2}, the sequence shared and every recomputation with some of them. The optimizer's
// state spread over data ranks {2, 3, 4}, in one bucket or many, with each of the others.
std::vector<Form> forms() {
  std::vector<Form> all;
  for (int tp = 1; tp <= 4; ++tp) {
    for (int dp = 1; dp <= 4; ++dp) {
      if (tp * dp > 1) all.push_back({.tp = tp, .dp = dp});
      if (tp > 1 && dp <= 2) all.push_back({.tp = tp, .dp = dp, .sequence = true});
    }
  }
  const auto full = Recompute::full, selective = Recompute::selective;
  const std::vector<Form> pipelines = {
      {.tp = 1, .dp = 1, .pp = 2},
      {.tp = 1, .dp = 1, .pp = 4},
      {.tp = 1, .dp = 1, .pp = 2, .virtual_stages = 2},
      {.tp = 1, .dp = 2, .pp = 2},
      {.tp = 1, .dp = 2, .pp = 4, .recompute = full},
      {.tp = 1, .dp = 2, .pp = 2, .virtual_stages = 2, .recompute = selective},
      {.tp = 2, .dp = 1, .pp = 2, .recompute = selective},
      {.tp = 2, .dp = 1, .sequence = true, .pp = 2},
      {.tp = 2, .dp = 1, .sequence = true, .pp = 4, .recompute = full},
      {.tp = 2, .dp = 1, .pp = 2, .virtual_stages = 2, .recompute = full},
      {.tp = 2, .dp = 2, .pp = 2},
      {.tp = 2, .dp = 2, .sequence = true, .pp = 2, .virtual_stages = 2, .recompute = full},
      {.tp = 3, .dp = 1, .pp = 2},
      {.tp = 4, .dp = 1, .pp = 2, .recompute = full},
      {.tp = 4, .dp = 1, .sequence = true, .pp = 2, .virtual_stages = 2},
      {.tp = 2, .dp = 2, .sequence = true, .recompute = selective},
      {.tp = 4, .dp = 2, .sequence = true, .recompute = full},
      {.tp = 1, .dp = 2, .zero = 1},
      {.tp = 1, .dp = 3, .zero = 1, .bucket_bytes = kSmallBucket},
      {.tp = 1, .dp = 4, .recompute = selective, .zero = 1, .bucket_bytes = kSmallBucket},
      {.tp = 2, .dp = 2, .zero = 1, .bucket_bytes = kSmallBucket},
      {.tp = 3, .dp = 2, .zero = 1},
      {.tp = 2, .dp = 2, .sequence = true, .recompute = full, .zero = 1},
      {.tp = 1, .dp = 2, .pp = 2, .zero = 1, .bucket_bytes = kSmallBucket},
      {.tp = 1, .dp = 2, .pp = 2, .virtual_stages = 2, .zero = 1, .bucket_bytes = kSmallBucket},
      {.tp = 1, .dp = 2, .pp = 2, .virtual_stages = 2, .bucket_bytes = kSmallBucket},
      {.tp = 2,
       .dp = 2,
       .sequence = true,
       .pp = 2,
       .recompute = full,
       .zero = 1,
       .bucket_bytes = kSmallBucket},
      {.tp = 2, .dp = 2, .pp = 2, .virtual_stages = 2, .recompute = selective, .zero = 1},
  };
  all.insert(all.end(), pipelines.begin(), pipelines.end());
  return all;
}

INSTANTIATE_TEST_SUITE_P(Forms, Parity, testing::ValuesIn(forms()),
                         [](const auto& param) { return param.param.name(); });

TEST(OneRank, MicroBatchesAddUpToTheWholeBatch) {
  for (const int64_t micro : {2, 4, 12}) {
    expect_same(run<float>(config_of(1, 1, micro)), reference<float>());
    expect_same(run<double>(config_of(1, 1, micro)), reference<double>());
  }
}

TEST(OneRank, KeyBiasHasNoGradient) {
  expect_no_key_bias_gradient(reference<float>());
  expect_no_key_bias_gradient(reference<double>());
}

// Two numbers have one sum: neither the buckets, nor when they are summed, nor who keeps the
// optimizer's state changes a bit.
TEST(Parity, BucketsOverlapAndSpreadStateGiveTheSameBitsOnTwoDataRanks) {
  for (const int pp : {1, 2}) {
    StepConfig config = Form{.tp = 2, .dp = 2, .pp = pp}.config();
    config.overlap_gradients = false;
    const Trajectory<float> whole = run<float>(config);
    config.bucket_bytes = kSmallBucket;
    EXPECT_EQ(run<float>(config).end, whole.end) << pp;
    config.overlap_gradients = true;
    EXPECT_EQ(run<float>(config).end, whole.end) << pp;
    config.zero = 1;
    const Trajectory<float> spread = run<float>(config);
    EXPECT_EQ(spread.first_gradients, whole.first_gradients) << pp;
    config.overlap_gradients = false;
    EXPECT_EQ(run<float>(config).end, spread.end) << pp;
  }
}

TEST(Parity, SpreadStateIsAPartOnEachDataRank) {
  StepConfig config = config_of(1, 4);
  config.zero = 1;
  config.bucket_bytes = kSmallBucket;
  test::on_ranks<float>(config, [](TrainingStep<float>& step) {
    const StepState<float>& st = step.state();
    EXPECT_EQ(st.m.size(), st.table.flat_size() / 4);
    EXPECT_EQ(st.v.size(), st.table.flat_size() / 4);
    EXPECT_GT(st.shards.owned().size(), 10U);
  });
}

TEST(Parity, TheSameRunTwiceIsBitIdentical) {
  const StepConfig config = config_of(2, 3);
  const Trajectory<float> a = run<float>(config), b = run<float>(config);
  EXPECT_EQ(a.end, b.end);
  for (size_t k = 0; k < a.steps.size(); ++k) {
    EXPECT_EQ(a.steps[k].loss, b.steps[k].loss);
    EXPECT_EQ(a.steps[k].grad_norm, b.steps[k].grad_norm);
  }
}

}  // namespace
}  // namespace bench::gpt2
