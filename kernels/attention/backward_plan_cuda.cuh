#pragma once
// What the backwards in tiles share: how the work is dealt out, where the gradient of the queries
// is added up, and what comes before.

#include "kernels/args.h"
#include "kernels/attention/head_rows_cuda.cuh"
#include "kernels/attention/tiles.h"

namespace bench::kernels::cuda {

struct BackwardPlan {
  float score_scale;  // 1 / sqrt(d)
  int tasks, groups;  // batch · heads; of tiles of keys
  int section;        // tiles::share_of
  float* means;       // [batch, heads, seq]: d_out · out of each row
  // [groups, batch, heads, tiles of queries, kQueries · kDim], to be scaled; or, where `shared`,
  // one group's place for all, cleared before, in whatever order they come.
  float* query_grads;
  bool shared;

  __host__ __device__ int64_t blocks() const { return int64_t{tasks} * groups; }
};

// Elements of one task's gradient of the queries, of a group's, and before those of a task.
template <class Shape>
constexpr int64_t query_grad_size(int64_t seq) {
  return tiles::ceil_div<int64_t>(seq, Shape::kQueries) * Shape::kQueries * Shape::kDim;
}
template <class Shape>
__device__ __forceinline__ int64_t query_grad_stride(const BackwardPlan& plan, int64_t seq) {
  return plan.tasks * query_grad_size<Shape>(seq);
}
template <class Shape>
__device__ __forceinline__ int64_t query_grad_offset(const BackwardPlan& plan, int64_t seq,
                                                     int group, int task) {
  return (plan.shared ? 0 : group * query_grad_stride<Shape>(plan, seq)) +
         task * query_grad_size<Shape>(seq);
}

// How many groups' sums a tile of queries has.
template <class Shape>
__device__ __forceinline__ int groups_to_add(const BackwardPlan& plan, int tile) {
  return plan.shared ? 1
                     : tiles::groups_that_meet(tile * Shape::kQueries, Shape::kQueries,
                                               Shape::kKeys, plan.groups);
}

// kWidth columns of a row of the gradient of the queries: one thread's of a grid of blocks of 256.
template <int kWidth>
struct GradPiece {
  int task, row, column;
  template <class Args>
  __device__ __forceinline__ explicit GradPiece(const Args& a) {
    const int64_t i = static_cast<int64_t>(blockIdx.x) * 256 + threadIdx.x;
    const int64_t pieces = (a.d + kWidth - 1) / kWidth;
    task = static_cast<int>(i / pieces / a.seq);
    row = static_cast<int>(i / pieces % a.seq);
    column = static_cast<int>(i % pieces) * kWidth;
  }
};

// means = d_out · out, a row by eight threads, kWidth elements at a time: sum_j p dp of a query
// (Dao 2022, appendix B.2). Grid: 32 rows a block.
template <class T, int kWidth>
__global__ void __launch_bounds__(256) row_means_kernel(AttentionBackward<T> a, float* means) {
  struct alignas(kWidth * sizeof(T)) Piece {
    T x[kWidth];
  };
  const int64_t row = static_cast<int64_t>(blockIdx.x) * 32 + threadIdx.x / 8;
  const bool there = row < a.batch * a.seq * a.heads;
  float sum = 0;
  for (int64_t c = threadIdx.x % 8 * kWidth; there && c < a.d; c += 8 * kWidth) {
    const Piece x = *reinterpret_cast<const Piece*>(a.out + row * a.d + c);
    const Piece y = *reinterpret_cast<const Piece*>(a.d_out + row * a.d + c);
#pragma unroll
    for (int i = 0; i < kWidth; ++i)
      sum = fmaf(static_cast<float>(x.x[i]), static_cast<float>(y.x[i]), sum);
  }
#pragma unroll
  for (int mask = 4; mask > 0; mask /= 2) sum += __shfl_xor_sync(kWholeWarp, sum, mask);
  if (threadIdx.x % 8 != 0 || !there) return;
  const int64_t token = row / a.heads;
  means[(token / a.seq * a.heads + row % a.heads) * a.seq + token % a.seq] = sum;
}

}  // namespace bench::kernels::cuda
