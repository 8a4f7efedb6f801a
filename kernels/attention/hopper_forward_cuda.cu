#include "kernels/attention/hopper_forward_cuda.cuh"
#include "kernels/attention/hopper_maps_cuda.h"
#include "kernels/attention/launch_cuda.cuh"
#include "kernels/attention/op.h"

namespace bench::kernels::cuda {
namespace {

template <class Shape>
void forward(const Context& context, const AttentionForward<bfloat16>& a) {
  const HopperPlan plan{.scale = exp2_scale(a.d), .grid = forward_grid<Shape>(a)};
  const int64_t blocks = std::min<int64_t>(multiprocessors(), plan.grid.blocks());
  launch(context, "attention forward", hopper_forward_kernel<Shape>, blocks, Shape::kThreads,
         Shape::kForwardShared, a, plan, box_map(a.qkv, a.heads * 3 * a.d, a.seq, a.batch));
}

}  // namespace

void attention_forward_hopper(const Context& context, const AttentionForward<bfloat16>& a) {
  require_hopper();
  a.d == 64 ? forward<HopperShape<64>>(context, a) : forward<HopperShape<128>>(context, a);
}

}  // namespace bench::kernels::cuda
