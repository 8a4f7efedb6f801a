#include "kernels/attention/float_backward_cuda.cuh"
#include "kernels/attention/launch_cuda.cuh"
#include "kernels/attention/op.h"

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
  const bool aligned = a.d % 4 == 0;
  if (a.d <= 64) return aligned ? forward<64, true>(context, a) : forward<64, false>(context, a);
  if (a.d <= 128) return aligned ? forward<128, true>(context, a) : forward<128, false>(context, a);
  aligned ? forward<256, true>(context, a) : forward<256, false>(context, a);
}

void attention_backward_tiles(const Context& context, const AttentionBackward<float>& a) {
  const bool aligned = a.d % 4 == 0;
  if (a.d <= 64) return aligned ? backward<64, true>(context, a) : backward<64, false>(context, a);
  if (a.d <= 128)
    return aligned ? backward<128, true>(context, a) : backward<128, false>(context, a);
  aligned ? backward<256, true>(context, a) : backward<256, false>(context, a);
}

}  // namespace bench::kernels::cuda
