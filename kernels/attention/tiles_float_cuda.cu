#include "kernels/attention/float_backward_cuda.cuh"
#include "kernels/attention/launch_cuda.cuh"
#include "kernels/attention/op.h"
#include "kernels/cuda/walk.cuh"

namespace bench::kernels::cuda {
namespace {

template <int kDim, bool kAligned>
void forward(const Context& context, const AttentionForward<float>& a) {
  using Shape = FloatShape<kDim>;
  launch_forward<Shape>(context, a, float_forward_kernel<Shape, kAligned>);
}

template <int kDim, bool kAligned>
void backward(const Context& context, const AttentionBackward<float>& a) {
  using Shape = FloatShape<kDim>;
  launch_backward<Shape, 4, kAligned>(
      context, a,
      [&](const BackwardPlan& plan) {
        launch(context, "attention backward",
               launch_shape(plan.blocks(), Shape::kThreads, Shape::kBackwardShared),
               float_backward_kernel<Shape, kAligned>, a, plan);
      },
      float_query_grad_kernel<Shape, kAligned>);
}

}  // namespace

void attention_forward_tiles(const Context& context, const AttentionForward<float>& a) {
  if (!has_heads_up_to(kMostTilesHead<float>, a)) return;
  const bool whole = a.d % 4 == 0 && aligned(a.qkv, a.out);
  if (a.d <= 64) return whole ? forward<64, true>(context, a) : forward<64, false>(context, a);
  if (a.d <= 128) return whole ? forward<128, true>(context, a) : forward<128, false>(context, a);
  whole ? forward<256, true>(context, a) : forward<256, false>(context, a);
}

void attention_backward_tiles(const Context& context, const AttentionBackward<float>& a) {
  if (!has_heads_up_to(kMostTilesHead<float>, a)) return;
  const bool whole = a.d % 4 == 0 && aligned(a.qkv, a.out, a.d_out, a.d_qkv);
  if (a.d <= 64) return whole ? backward<64, true>(context, a) : backward<64, false>(context, a);
  if (a.d <= 128) return whole ? backward<128, true>(context, a) : backward<128, false>(context, a);
  whole ? backward<256, true>(context, a) : backward<256, false>(context, a);
}

}  // namespace bench::kernels::cuda
