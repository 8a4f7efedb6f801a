// A step in bfloat16: the same on every layout up to the rounding of what it stores, the same bits
// twice, and nothing small lost on the way into the gradient.

#include <gtest/gtest.h>

#include "kernels/rounding.h"
#include "tests/gpt2/harness.h"

namespace bench::gpt2 {
namespace {

using test::Trajectory;

constexpr int kSteps = 10;
constexpr int64_t kHeadSize = 4;

StepConfig config_of(int tp, int dp, int64_t micro_batch = 1) {
  return {
      .model = {.name = "rounded", .layers = 2, .hidden = 48, .heads = 12, .seq = 9, .vocab = 131},
      .micro_batch = micro_batch,
      .global_batch = 12,
      .tp = tp,
      .dp = dp,
      .lr = 1e-3};
}

Trajectory<bfloat16> run(const StepConfig& config) {
  const auto tokens = zipf_tokens(config.model.vocab, 7);
  return test::train<bfloat16>(config, *tokens, kSteps,
                               [](TrainingStep<bfloat16>& step) { step.init(3); });
}

const Trajectory<bfloat16>& one_rank() {
  static const Trajectory<bfloat16> reference = run(config_of(1, 1));
  return reference;
}

struct Tolerance {
  double first_loss, loss, grad_norm, gradient, update;
};

// What is stored in bfloat16 is off by at most u, and by u / sqrt(12) in the root mean square. On
// its way through two layers and back a gradient is stored about 32 times: u sqrt(32 / 12) = 1.6 u
// where the roundings are independent, sqrt(2) more between two such runs, 4 u with a margin. The
// loss is a mean over 108 tokens of as much. Adam divides each element by its own size, so those
// below their rounding move at will: at most one in fifty here.
constexpr double kU = kernels::kRounding<bfloat16>;
constexpr Tolerance kRounded{.first_loss = 4 * kU / 50,  // of sqrt(108) and log(131)
                             .loss = 4 * kU / 50,
                             .grad_norm = kU,
                             .gradient = 4 * kU,
                             .update = 0.15};

// Where each micro-batch is computed as on one rank, only sums in f32 differ in the first step.
constexpr Tolerance kExactFirst{
    .first_loss = 2e-6, .loss = 4 * kU / 50, .grad_norm = kU, .gradient = 1e-5, .update = 0.15};

void expect_close(const Trajectory<bfloat16>& got, const Tolerance& tolerance) {
  const Trajectory<bfloat16>& want = one_rank();
  ASSERT_EQ(got.steps.size(), static_cast<size_t>(kSteps));
  EXPECT_NEAR(got.steps[0].loss / want.steps[0].loss, 1, tolerance.first_loss);
  for (size_t k = 0; k < want.steps.size(); ++k) {
    EXPECT_NEAR(got.steps[k].loss / want.steps[k].loss, 1, tolerance.loss) << "step " << k;
    EXPECT_NEAR(got.steps[k].grad_norm / want.steps[k].grad_norm, 1, tolerance.grad_norm) << k;
  }
  for (const auto& [name, start] : want.start) {
    EXPECT_EQ(got.start.at(name), start) << name << ": initial values depend on the layout";
    const auto kept = [&, &key = name](const auto& x) {
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

struct Mesh {
  int tp, dp;
};

class Bfloat16Parity : public testing::TestWithParam<Mesh> {};

TEST_P(Bfloat16Parity, WithOneRank) {
  const auto [tp, dp] = GetParam();
  expect_close(run(config_of(tp, dp)), tp == 1 ? kExactFirst : kRounded);
}

INSTANTIATE_TEST_SUITE_P(Meshes, Bfloat16Parity,
                         testing::Values(Mesh{1, 2}, Mesh{1, 3}, Mesh{2, 1}, Mesh{2, 2}, Mesh{3, 1},
                                         Mesh{3, 2}, Mesh{4, 1}, Mesh{4, 2}),
                         [](const auto& param) {
                           return "tp" + std::to_string(param.param.tp) + "dp" +
                                  std::to_string(param.param.dp);
                         });

TEST(Bfloat16, MicroBatchesAddUpToTheWholeBatch) {
  for (const int64_t micro : {2, 4, 12}) expect_close(run(config_of(1, 1, micro)), kRounded);
}

TEST(Bfloat16, TheSameRunTwiceIsBitIdentical) {
  const Trajectory<bfloat16> a = run(config_of(2, 2)), b = run(config_of(2, 2));
  EXPECT_EQ(a.first_gradients, b.first_gradients);
  EXPECT_EQ(a.end, b.end);
  for (size_t k = 0; k < a.steps.size(); ++k) {
    EXPECT_EQ(a.steps[k].loss, b.steps[k].loss);
    EXPECT_EQ(a.steps[k].grad_norm, b.steps[k].grad_norm);
  }
}

// 512 times the same micro-batch has the gradient of one. A sum in bfloat16 would stop growing at
// 256 terms, where the next is half a unit in its last place; the powers of two between the two
// scales round alike, so that only the sum in f32 differs.
TEST(Bfloat16, ManySmallGradientsAddUp) {
  StepConfig config{
      .model = {.name = "toy", .layers = 2, .hidden = 16, .heads = 4, .seq = 4, .vocab = 29}};
  constexpr int64_t kMany = 512;
  const test::Batch one = test::batch_of(*zipf_tokens(29, 5), config, 0, 0);
  const auto gradients_of = [&](int64_t count) {
    test::Batch batch;
    for (int64_t i = 0; i < count; ++i) {
      batch.inputs.insert(batch.inputs.end(), one.inputs.begin(), one.inputs.end());
      batch.targets.insert(batch.targets.end(), one.targets.begin(), one.targets.end());
    }
    config.global_batch = count;
    test::Tensors<float> all;
    test::on_ranks<bfloat16>(config, [&](TrainingStep<bfloat16>& step) {
      step.init(3);
      step.compute_gradients(batch.inputs.data(), batch.targets.data());
      all = test::gather_all(step, Held::gradient);
    });
    return all;
  };
  const auto sum = gradients_of(kMany), single = gradients_of(1);
  for (const auto& [name, want] : single) {
    EXPECT_LE(test::relative_error(sum.at(name), want), 1e-5) << name;
  }
}

// A step of Adam moves a weight by less than half a unit in the last place of its bfloat16 copy;
// the copy must nevertheless follow the weight that the optimizer keeps.
void the_rounded_weights_follow(int zero) {
  StepConfig config = config_of(2, 2);
  config.lr = 1e-6;
  config.zero = zero;
  config.bucket_bytes = 1000;
  const auto tokens = zipf_tokens(config.model.vocab, 7);
  test::on_ranks<bfloat16>(config, [&](TrainingStep<bfloat16>& step) {
    StepState<bfloat16>& st = step.state();
    const auto expect_rounded = [&](const char* when) {
      int64_t different = 0;
      for (const OwnedPart& part : st.shards.owned()) {
        for (int64_t i = 0; i < part.span.size; ++i) {
          different += bfloat16(st.master(part)[i]).bits != st.weight(part.span.begin)[i].bits;
        }
      }
      EXPECT_EQ(different, 0) << when;
    };
    step.init(3);
    expect_rounded("after init");
    step.save_state();
    const auto start = test::gather_all(step, Held::weight);
    for (int k = 0; k < 3; ++k) {
      const test::Batch b = test::batch_of(*tokens, config, k, step.data_rank());
      step.step(b.inputs.data(), b.targets.data());
    }
    expect_rounded("after steps");
    EXPECT_NE(test::gather_all(step, Held::weight), start);
    step.perturb_along_gradient(0.1);
    expect_rounded("after a perturbation");
    step.restore_state();
    expect_rounded("after restore");
    EXPECT_EQ(test::gather_all(step, Held::weight), start);
  });
}

TEST(Bfloat16, TheRoundedWeightsFollowTheOptimizers) { the_rounded_weights_follow(0); }

TEST(Bfloat16, TheRoundedWeightsFollowTheOptimizersParts) { the_rounded_weights_follow(1); }

// Two numbers have one sum, so that nothing differs but who keeps what, and in which order the
// norm's squares are added.
TEST(Bfloat16, SpreadStateTrainsAlike) {
  StepConfig config = config_of(2, 2);
  const auto tokens = zipf_tokens(config.model.vocab, 7);
  const auto train = [&] {
    return test::train<bfloat16>(config, *tokens, 5,
                                 [](TrainingStep<bfloat16>& step) { step.init(3); });
  };
  const test::Trajectory<bfloat16> whole = train();
  config.zero = 1;
  const test::Trajectory<bfloat16> spread = train();
  EXPECT_EQ(spread.start, whole.start);
  EXPECT_EQ(spread.first_gradients, whole.first_gradients);
  for (size_t k = 0; k < whole.steps.size(); ++k) {
    EXPECT_NEAR(spread.steps[k].loss, whole.steps[k].loss, 1e-4) << k;
    EXPECT_NEAR(spread.steps[k].grad_norm / whole.steps[k].grad_norm, 1, 1e-3) << k;
  }
}

}  // namespace
}  // namespace bench::gpt2
