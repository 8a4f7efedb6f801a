#pragma once
// How the kernels of attention are launched.

#include <algorithm>
#include <cmath>
#include <string>

#include "bench/base/status.h"
#include "kernels/attention/backward_plan_cuda.cuh"
#include "kernels/cuda/launch.cuh"
#include "kernels/cuda/scratch.h"

namespace bench::kernels::cuda {

// Whether there is anything to do. Throws UsageError where heads are wider than the kernels take.
template <class Args>
bool has_heads_up_to(int64_t most, const Args& a) {
  if (a.d > most)
    throw UsageError("attention in tiles takes heads of up to " + std::to_string(most) +
                     " elements, not " + std::to_string(a.d));
  return a.batch * a.seq * a.heads * a.d > 0;
}

inline LaunchShape launch_shape(int64_t blocks, int threads, int shared_bytes = 0) {
  return {.blocks = static_cast<unsigned>(blocks),
          .threads = static_cast<unsigned>(threads),
          .shared_bytes = static_cast<size_t>(shared_bytes)};
}

// 1 / sqrt(d), and what the argument of exp2 has over the product q · k.
inline float score_scale(int64_t d) {
  return static_cast<float>(1 / std::sqrt(static_cast<double>(d)));
}
inline float exp2_scale(int64_t d) {
  return static_cast<float>(1.4426950408889634 / std::sqrt(static_cast<double>(d)));
}

template <class Shape, class T>
ForwardGrid forward_grid(const AttentionForward<T>& a) {
  // Keys and values of the heads that are worked on at once, in a second-level cache of 40 MiB or
  // more (A100, H100).
  constexpr int64_t kSectionBytes = int64_t{16} << 20;
  const int64_t tasks = a.batch * a.heads;
  const auto task_bytes = static_cast<int64_t>(2 * sizeof(T)) * a.seq * a.d;
  return {.tasks = static_cast<int>(tasks),
          .tiles_per_task = static_cast<int>(tiles::ceil_div<int64_t>(a.seq, Shape::kQueries)),
          .section = static_cast<int>(std::clamp<int64_t>(kSectionBytes / task_bytes, 1, tasks))};
}

template <class Shape, class T>
void launch_forward(const Context& context, const AttentionForward<T>& a,
                    void (*kernel)(AttentionForward<T>, float, ForwardGrid)) {
  const ForwardGrid grid = forward_grid<Shape>(a);
  launch(context, "attention forward",
         launch_shape(grid.blocks(), Shape::kThreads, Shape::kForwardShared), kernel, a,
         exp2_scale(a.d), grid);
}

template <class Shape, class T>
BackwardPlan make_plan(const Context& context, const AttentionBackward<T>& a) {
  // What groups' gradients of the queries may take of memory.
  constexpr int64_t kGroupBytes = int64_t{512} << 20;
  const int64_t tasks = a.batch * a.heads, group_size = tasks * query_grad_size<Shape>(a.seq);
  const auto key_tiles = static_cast<int>(tiles::ceil_div<int64_t>(a.seq, Shape::kKeys));
  const int64_t slots = int64_t{Shape::kBlocksAtOnce} * multiprocessors();
  const auto most = static_cast<int>(std::max<int64_t>(1, kGroupBytes / (group_size * 4)));
  const int groups =
      context.deterministic ? tiles::choose_groups(tasks, key_tiles, slots, most) : key_tiles;
  const int64_t sums = context.deterministic ? groups : 1;
  const int64_t means_size = tiles::ceil_div<int64_t>(tasks * a.seq, 64) * 64;
  const auto bytes = static_cast<size_t>(means_size + sums * group_size) * sizeof(float);
  auto* const memory = reinterpret_cast<float*>(scratch(context, bytes));
  return {.score_scale = score_scale(a.d),
          .tasks = static_cast<int>(tasks),
          .groups = groups,
          .section = static_cast<int>(std::clamp<int64_t>(slots / groups, 1, tasks)),
          .means = memory,
          .query_grads = memory + means_size,
          .shared = !context.deterministic};
}

// What comes before and after run(plan), which adds up the gradients. kWidth: elements that a
// thread takes at a time where rows are aligned.
template <class Shape, int kWidth, bool kAligned, class T, class Run>
void launch_backward(const Context& context, const AttentionBackward<T>& a, const Run& run,
                     void (*query_grad)(AttentionBackward<T>, BackwardPlan)) {
  const BackwardPlan plan = make_plan<Shape>(context, a);
  const int64_t rows = a.batch * a.seq * a.heads;
  if (plan.shared)
    check(cudaMemsetAsync(plan.query_grads, 0,
                          static_cast<size_t>(plan.tasks * query_grad_size<Shape>(a.seq)) * 4,
                          stream_of(context)),
          "clearing the gradient of the queries");
  constexpr int kMeansWidth = kAligned ? kWidth : 1;
  launch(context, "attention backward, means",
         launch_shape(tiles::ceil_div<int64_t>(rows, 32), 256), row_means_kernel<T, kMeansWidth>, a,
         plan.means);
  run(plan);
  const int64_t pieces = rows * tiles::ceil_div<int64_t>(a.d, kWidth);
  launch(context, "attention backward, queries",
         launch_shape(tiles::ceil_div<int64_t>(pieces, 256), 256), query_grad, a, plan);
}

}  // namespace bench::kernels::cuda
