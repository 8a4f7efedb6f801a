// Activations that are computed again in the backward pass are the ones that were not kept, to the
// bit; they take the memory and the products that are declared.

#include <gtest/gtest.h>

#include "bench/base/status.h"
#include "parallel/gpt2/work.h"
#include "parallel/gpt2/workspace.h"
#include "tests/gpt2/harness.h"

namespace bench::gpt2 {
namespace {

constexpr int kSteps = 3;

StepConfig config_of(Recompute recompute, int tp = 1) {
  return {.model = {.name = "again", .layers = 3, .hidden = 32, .heads = 4, .seq = 7, .vocab = 61},
          .micro_batch = 2,
          .global_batch = 4,
          .tp = tp,
          .lr = 1e-2,
          .recompute = recompute};
}

template <class T>
void expect_the_same_bits(Recompute recompute, const char* attention) {
  const auto tokens = zipf_tokens(61, 7);
  for (const int tp : {1, 2}) {
    const auto run = [&](Recompute r) {
      return test::train<T>(config_of(r, tp), *tokens, kSteps,
                            [](TrainingStep<T>& step) { step.init(3); },
                            {{"attention", attention}});
    };
    const auto kept = run(Recompute::none), again = run(recompute);
    EXPECT_EQ(again.first_gradients, kept.first_gradients) << attention << ", tp " << tp;
    EXPECT_EQ(again.end, kept.end) << attention << ", tp " << tp;
    ASSERT_EQ(again.steps.size(), static_cast<size_t>(kSteps));
    for (size_t k = 0; k < again.steps.size(); ++k) {
      EXPECT_EQ(again.steps[k].loss, kept.steps[k].loss) << "step " << k;
      EXPECT_EQ(again.steps[k].grad_norm, kept.steps[k].grad_norm) << "step " << k;
    }
  }
}

class EveryRecompute : public testing::TestWithParam<Recompute> {};

TEST_P(EveryRecompute, ChangesNoBit) {
  for (const char* attention : {"flash", "unfused"}) {
    expect_the_same_bits<float>(GetParam(), attention);
    expect_the_same_bits<bfloat16>(GetParam(), attention);
  }
  expect_the_same_bits<double>(GetParam(), "unfused");
}

INSTANTIATE_TEST_SUITE_P(Modes, EveryRecompute,
                         testing::Values(Recompute::selective, Recompute::full),
                         [](const auto& param) { return std::string(name_of(param.param)); });

int64_t cache_lines(int64_t bytes) { return (bytes + 63) / 64 * 64; }

template <class T>
void expect_declared_memory(const char* attention) {
  const auto ops = kernels::ops_for<T>(DeviceKind::cpu, {{"attention", attention}});
  const auto bytes_of = [&](Recompute recompute) {
    const StepConfig c = config_of(recompute);
    return workspace_bytes(rank_shape(c, 0), c.batch().accumulation(), recompute, ops);
  };
  const StepConfig c = config_of(Recompute::none);
  const RankShape s = rank_shape(c, 0);
  const int64_t element = sizeof(T), wide = sizeof(kernels::Wide<T>);
  const int64_t saved = cache_lines(ops.attention_saved_bytes(s.micro_batch, s.seq, s.heads, s.d));
  // Two norms, attention's output and the residual stream; QKV; FC1 and its GELU; statistics.
  const int64_t inside = 4 * cache_lines(s.n * s.h * element) +
                         cache_lines(3 * s.n * s.h * element) +
                         2 * cache_lines(4 * s.n * s.h * element) + 4 * cache_lines(s.n * wide);
  const int64_t others = s.layers - 1;  // one layer's place stays
  EXPECT_EQ(bytes_of(Recompute::none) - bytes_of(Recompute::selective), others * saved);
  EXPECT_EQ(bytes_of(Recompute::none) - bytes_of(Recompute::full), others * (saved + inside));
}

TEST(Recompute, SparesWhatItDoesNotKeep) {
  for (const char* attention : {"flash", "unfused"}) {
    expect_declared_memory<float>(attention);
    expect_declared_memory<bfloat16>(attention);
  }
}

TEST(Recompute, HoldsTheMemoryItDeclares) {
  for (const Recompute r : {Recompute::none, Recompute::selective, Recompute::full}) {
    test::on_ranks<float>(config_of(r), [&](TrainingStep<float>& step) {
      const StepConfig& c = step.config();
      EXPECT_EQ(static_cast<int64_t>(step.workspace_bytes()),
                workspace_bytes(rank_shape(c, 0), c.batch().accumulation(), r,
                                kernels::ops_for<float>(DeviceKind::cpu)));
    });
  }
}

TEST(Recompute, CountsItsProducts) {
  const auto flops = [](Recompute r) { return executed_flops(config_of(r, 2)); };
  const StepConfig c = config_of(Recompute::none, 2);
  const RankShape s = rank_shape(c, 0);
  const double micro = static_cast<double>(c.batch().accumulation());
  const double head = micro * 2.0 * static_cast<double>(s.n * s.h * s.vocab.rows);
  const double layers = flops(Recompute::none) / 3 - head;  // one forward pass through them
  EXPECT_NEAR((flops(Recompute::full) - flops(Recompute::none)) / layers, 1, 1e-12);
  // Scores on and below the diagonal and their product with the values.
  const double attention = micro * 2.0 * static_cast<double>(s.layers * s.n * s.seq * s.h_part);
  EXPECT_NEAR((flops(Recompute::selective) - flops(Recompute::none)) / attention, 1, 1e-12);
}

TEST(Recompute, IsNamedAndParsed) {
  for (const Recompute r : {Recompute::none, Recompute::selective, Recompute::full})
    EXPECT_EQ(parse_recompute(name_of(r)), r);
  EXPECT_THROW(parse_recompute("Full"), UsageError);
}

}  // namespace
}  // namespace bench::gpt2
