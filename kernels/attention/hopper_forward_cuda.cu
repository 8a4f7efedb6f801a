#include "kernels/attention/hopper_forward_cuda.cuh"
#include "kernels/attention/hopper_heads.h"
#include "kernels/attention/launch_cuda.cuh"
#include "kernels/attention/op.h"

namespace bench::kernels::cuda {
namespace {

template <class Shape>
void forward(const Context& context, const AttentionForward<bfloat16>& a) {
  auto* const taken = reinterpret_cast<int*>(scratch(context, sizeof(int)));
  check(cudaMemsetAsync(taken, 0, sizeof(int), stream_of(context)), "starting to count blocks");
  const HopperForwardPlan plan{
      .scale = exp2_scale(a.d), .grid = forward_grid<Shape>(a), .taken = taken};
  const int64_t blocks = std::min<int64_t>(multiprocessors(), plan.grid.blocks());
  launch(context, "attention forward", launch_shape(blocks, Shape::kThreads, Shape::kForwardShared),
         hopper_forward_kernel<Shape>, a, plan, box_map(a.qkv, a.heads * 3 * a.d, a.seq, a.batch));
}

}  // namespace

void attention_forward_hopper(const Context& context, const AttentionForward<bfloat16>& a) {
  require_hopper_heads(a.d);
  if (!has_heads_up_to(128, a)) return;
  a.d == 64 ? forward<HopperForwardShape<64>>(context, a)
            : forward<HopperForwardShape<128>>(context, a);
}

}  // namespace bench::kernels::cuda
