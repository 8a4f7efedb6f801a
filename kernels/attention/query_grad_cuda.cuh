#pragma once
// The gradient of the queries while it is added up, bfloat16: float, in the order in which the
// threads hold it, so that a warp's additions go to successive addresses.

#include "bench/base/bfloat16.h"
#include "kernels/attention/backward_plan_cuda.cuh"
#include "kernels/attention/tile_products_cuda.cuh"

namespace bench::kernels::cuda {

// The queries' part of d_qkv: the groups' sums in order, scaled. Grid: one thread eight columns.
template <class Shape, bool kAligned>
__global__ void __launch_bounds__(256)
    query_grad_kernel(AttentionBackward<bfloat16> a, BackwardPlan plan) {
  const GradPiece<8> piece(a);
  if (piece.task >= plan.tasks) return;
  const int tile = piece.row / Shape::kQueries;
  const float* from = plan.query_grads + query_grad_offset<Shape>(plan, a.seq, 0, piece.task) +
                      tile * Shape::QueryGrad::kSize +
                      Shape::QueryGrad::offset_of(piece.row % Shape::kQueries, piece.column);
  float2 sums[4] = {};
  for (int group = 0; group < groups_to_add<Shape>(plan, tile); ++group) {
#pragma unroll
    for (int pair = 0; pair < 4; ++pair) {  // held by successive threads
      const float2 x = *reinterpret_cast<const float2*>(from + 4 * pair);
      sums[pair].x += x.x;
      sums[pair].y += x.y;
    }
    from += query_grad_stride<Shape>(plan, a.seq);
  }
  uint32_t words[4];
#pragma unroll
  for (int pair = 0; pair < 4; ++pair)
    words[pair] = bf16_pair(sums[pair].x * plan.score_scale, sums[pair].y * plan.score_scale);
  const HeadRows head(a, piece.task);
  store_chunk<kAligned>(
      {words[0], words[1], words[2], words[3]},
      reinterpret_cast<uint16_t*>(a.d_qkv) + head.qkv + piece.row * head.qkv_step + piece.column,
      static_cast<int>(a.d) - piece.column);
}

}  // namespace bench::kernels::cuda
