#include "kernels/attention/hopper_backward_cuda.cuh"
#include "kernels/attention/hopper_heads.h"
#include "kernels/attention/launch_cuda.cuh"
#include "kernels/attention/op.h"
#include "kernels/attention/query_grad_cuda.cuh"

namespace bench::kernels::cuda {
namespace {

template <class Shape>
void backward(const Context& context, const AttentionBackward<bfloat16>& a) {
  const HopperMaps maps{.qkv = box_map(a.qkv, a.heads * 3 * a.d, a.seq, a.batch),
                        .d_out = box_map(a.d_out, a.heads * a.d, a.seq, a.batch)};
  launch_backward<Shape, 8, true>(
      context, a,
      [&](const BackwardPlan& plan) {
        launch(context, "attention backward",
               launch_shape(plan.blocks(), Shape::kThreads, Shape::kBackwardShared),
               hopper_backward_kernel<Shape>, a, plan, maps);
      },
      query_grad_kernel<Shape, true>);
}

}  // namespace

void attention_backward_hopper(const Context& context, const AttentionBackward<bfloat16>& a) {
  require_hopper_heads(a.d);
  if (!has_heads_up_to(128, a)) return;
  a.d == 64 ? backward<HopperBackwardShape<64>>(context, a)
            : backward<HopperBackwardShape<128>>(context, a);
}

}  // namespace bench::kernels::cuda
