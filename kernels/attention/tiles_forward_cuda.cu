#include "kernels/attention/launch_cuda.cuh"
#include "kernels/attention/op.h"
#include "kernels/attention/tiles_forward_cuda.cuh"
#include "kernels/cuda/walk.cuh"

namespace bench::kernels::cuda {
namespace {

template <int kDim, bool kAligned>
void forward(const Context& context, const AttentionForward<bfloat16>& a) {
  using Shape = ForwardShape<kDim>;
  launch_forward<Shape>(context, a, forward_kernel<Shape, kAligned>);
}

}  // namespace

void attention_forward_tiles(const Context& context, const AttentionForward<bfloat16>& a) {
  if (!has_heads_up_to(kMostTilesHead<bfloat16>, a)) return;
  const bool whole = a.d % 8 == 0 && aligned(a.qkv, a.out);
  if (a.d <= 64) return whole ? forward<64, true>(context, a) : forward<64, false>(context, a);
  if (!whole) return forward<128, false>(context, a);
  if (a.d <= 80) return forward<80, true>(context, a);
  if (a.d <= 96) return forward<96, true>(context, a);
  forward<128, true>(context, a);
}

}  // namespace bench::kernels::cuda
