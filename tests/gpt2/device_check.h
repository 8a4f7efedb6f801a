#pragma once
// A step on a device against the step by the formulas of its ops: a model of two layers with heads
// of 64, as GPT-2's are, two micro-batches a step.

#include <gtest/gtest.h>

#include "kernels/rounding.h"
#include "parallel/comm/self/self_communicator.h"
#include "tests/gpt2/harness.h"
#include "tests/kernels/reference_ops.h"

namespace bench::gpt2::test {

constexpr int64_t kDeviceHeadSize = 64;

// `seq` and `vocab` may be odd.
inline StepConfig device_config(int64_t seq = 64, int64_t vocab = 300) {
  return {.model = {.name = "device",
                    .layers = 2,
                    .hidden = 2 * kDeviceHeadSize,
                    .heads = 2,
                    .seq = seq,
                    .vocab = vocab},
          .micro_batch = 2,
          .global_batch = 4,
          .lr = 1e-3};
}

// `steps` steps of one rank alone, the weights seeded.
template <class T>
Trajectory<T> train_alone(const Context& context, const StepConfig& config,
                          const kernels::Ops<T>& ops, int steps,
                          const GraphRecorder& recorder = {}) {
  SelfCommunicator self;
  TrainingStep<T> step(context, self, config, ops, recorder);
  step.init(3);
  const auto tokens = zipf_tokens(config.model.vocab, 7);
  Trajectory<T> t;
  t.start = gather_all(step, Held::weight);
  for (int k = 0; k < steps; ++k) {
    const Batch batch = batch_of(*tokens, config, k, 0);
    step.step(batch.inputs.data(), batch.targets.data());
    if (k == 0) t.first_gradients = gather_all(step, Held::gradient);
  }
  t.end = gather_all(step, Held::weight);
  t.steps = step.read_results();
  EXPECT_EQ(step.replayed_steps(), recorder ? steps - 1 : 0);
  return t;
}

template <class T>
Trajectory<T> by_formulas(const StepConfig& config, int steps) {
  CpuDevice cpu(1);
  NullTracer tracer;
  return train_alone<T>({.device = cpu, .tracer = tracer}, config,
                        kernels::test::reference_ops<T>(), steps);
}

// Relative: of a step's loss, its gradient norm, a tensor's first gradient and its whole update.
struct Closeness {
  double loss, grad_norm, gradient, update;
};

template <class T>
constexpr Closeness kCloseness{};
// Sums in another order.
template <>
inline constexpr Closeness kCloseness<float>{
    .loss = 1e-5, .grad_norm = 1e-4, .gradient = 1e-5, .update = 1e-3};
// Both round what they store to u = 2^-8, at other places of their sums: as two layouts of ranks in
// bfloat16_test.cpp, where it is derived; the losses, means over at least 132 tokens, with the half
// of it as a margin for what Adam makes of rounding from step to step.
template <>
inline constexpr Closeness kCloseness<bfloat16>{.loss = 6 * kernels::kRounding<bfloat16> / 50,
                                                .grad_norm = kernels::kRounding<bfloat16>,
                                                .gradient = 4 * kernels::kRounding<bfloat16>,
                                                .update = 0.15};

template <class T>
void expect_close(const Trajectory<T>& got, const Trajectory<T>& want) {
  const Closeness& allowed = kCloseness<T>;
  ASSERT_EQ(got.steps.size(), want.steps.size());
  for (size_t k = 0; k < want.steps.size(); ++k) {
    EXPECT_NEAR(got.steps[k].loss / want.steps[k].loss, 1, allowed.loss) << "step " << k;
    EXPECT_NEAR(got.steps[k].grad_norm / want.steps[k].grad_norm, 1, allowed.grad_norm) << k;
  }
  for (const auto& [name, start] : want.start) {
    EXPECT_EQ(got.start.at(name), start) << name;
    const auto kept = [&, &key = name](const auto& x) {
      return without_key_bias(key, x, kDeviceHeadSize);
    };
    EXPECT_LE(
        relative_error(kept(got.first_gradients.at(name)), kept(want.first_gradients.at(name))),
        allowed.gradient)
        << name;
    EXPECT_LE(relative_error(difference(kept(got.end.at(name)), kept(start)),
                             difference(kept(want.end.at(name)), kept(start))),
              allowed.update)
        << name;
  }
}

template <class T>
void expect_same_bits(const Trajectory<T>& a, const Trajectory<T>& b) {
  EXPECT_EQ(a.first_gradients, b.first_gradients);
  EXPECT_EQ(a.end, b.end);
  ASSERT_EQ(a.steps.size(), b.steps.size());
  for (size_t k = 0; k < a.steps.size(); ++k) {
    EXPECT_EQ(a.steps[k].loss, b.steps[k].loss) << "step " << k;
    EXPECT_EQ(a.steps[k].grad_norm, b.steps[k].grad_norm) << "step " << k;
  }
}

}  // namespace bench::gpt2::test
