// Where products take GELU with them, the step leaves it to them.

#include <gtest/gtest.h>

#include "parallel/comm/self/self_communicator.h"
#include "tests/gpt2/harness.h"

namespace bench::gpt2 {
namespace {

using kernels::Ops;

StepConfig toy() {
  return {.model = {.name = "toy", .layers = 2, .hidden = 16, .heads = 2, .seq = 5, .vocab = 29},
          .micro_batch = 2,
          .global_batch = 4,
          .lr = 1e-2};
}

const Ops<float>& plain_ops() {
  static const Ops<float> ops = kernels::ops_for<float>(DeviceKind::cpu);
  return ops;
}

int fused_forwards = 0, fused_backwards = 0;

void forward(const Context& context, const kernels::LinearForward<float>& a) {
  plain_ops().linear_forward(context, a);
  if (a.gelu == nullptr) return;
  plain_ops().gelu_forward(context, {.n = a.n, .cols = a.out, .x = a.y, .y = a.gelu});
  ++fused_forwards;
}

void input_grad(const Context& context, const kernels::LinearInputGrad<float>& a) {
  plain_ops().linear_input_grad(context, a);
  if (a.gelu_of == nullptr) return;
  plain_ops().gelu_backward(context,
                            {.n = a.n, .cols = a.in, .dy = a.dx, .x = a.gelu_of, .dx = a.dx});
  ++fused_backwards;
}

// GELU as part of the products; as an op of its own it is not there.
Ops<float> fusing_ops() {
  Ops<float> ops = plain_ops();
  ops.linear_fuses_gelu = true;
  ops.linear_forward = forward;
  ops.linear_input_grad = input_grad;
  ops.gelu_forward = nullptr;
  ops.gelu_backward = nullptr;
  return ops;
}

test::Tensors<float> trained(const Ops<float>& ops) {
  CpuDevice device(1);
  NullTracer tracer;
  SelfCommunicator self;
  TrainingStep<float> step({.device = device, .tracer = tracer}, self, toy(), ops);
  step.init(3);
  const auto tokens = zipf_tokens(29, 5);
  for (int k = 0; k < 3; ++k) {
    const test::Batch b = test::batch_of(*tokens, toy(), k, 0);
    step.step(b.inputs.data(), b.targets.data());
  }
  return test::gather_all(step, Held::weight);
}

TEST(FusedGelu, IsGivenToTheProductsOnceALayerAndMicroBatch) {
  const auto fused = trained(fusing_ops());
  EXPECT_EQ(fused, trained(plain_ops()));
  EXPECT_EQ(fused_forwards, 3 * 2 * 2);
  EXPECT_EQ(fused_backwards, 3 * 2 * 2);
}

}  // namespace
}  // namespace bench::gpt2
