#include "kernels/attention/launch_cuda.cuh"
#include "kernels/attention/op.h"
#include "kernels/attention/tiles_backward_cuda.cuh"
#include "kernels/cuda/walk.cuh"

namespace bench::kernels::cuda {
namespace {

template <int kDim, bool kAligned>
void backward(const Context& context, const AttentionBackward<bfloat16>& a) {
  using Shape = BackwardShape<kDim>;
  launch_backward<Shape, 8, kAligned>(
      context, a,
      [&](const BackwardPlan& plan) {
        launch(context, "attention backward",
               launch_shape(plan.blocks(), Shape::kThreads, Shape::kBackwardShared),
               backward_kernel<Shape, kAligned>, a, plan);
      },
      query_grad_kernel<Shape, kAligned>);
}

}  // namespace

void attention_backward_tiles(const Context& context, const AttentionBackward<bfloat16>& a) {
  if (!has_heads_up_to(kMostTilesHead<bfloat16>, a)) return;
  const bool whole = a.d % 8 == 0 && aligned(a.qkv, a.out, a.d_out, a.d_qkv);
  if (a.d <= 64) return whole ? backward<64, true>(context, a) : backward<64, false>(context, a);
  if (!whole) return backward<128, false>(context, a);
  if (a.d <= 96) return backward<96, true>(context, a);
  backward<128, true>(context, a);
}

}  // namespace bench::kernels::cuda
