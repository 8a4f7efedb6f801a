#include "kernels/args.h"
#include "kernels/cuda/box_map.h"
#include "kernels/cuda/launch.cuh"
#include "kernels/cuda/scratch.h"
#include "kernels/linear/hopper_weight_grad.h"
#include "kernels/linear/hopper_weight_grad_cuda.cuh"

namespace bench::kernels::cuda {
namespace {

constexpr int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

template <class Shape>
WeightGradWork work_of(const Context& context, const LinearWeightGrad<bfloat16>& a) {
  const auto tiles = [](int64_t size, int64_t each) {
    return static_cast<int>(ceil_div(size, each));
  };
  const int column_tiles = tiles(a.in, Shape::kColumns);
  const DepthPlan plan = plan_depth(tiles(a.out, Shape::kRows) * column_tiles,
                                    tiles(a.n, Shape::kDepth), multiprocessors());
  const int64_t bias_size = int64_t{plan.slots()} * Shape::kRows,
                size = plan.slots() * Shape::kPartSize;
  auto* const parts = reinterpret_cast<float*>(
      scratch(context, static_cast<size_t>(size + bias_size) * sizeof(float)));
  return {.plan = plan,
          .out = static_cast<int>(a.out),
          .in = static_cast<int>(a.in),
          .column_tiles = column_tiles,
          .accumulate = a.accumulate,
          .dw = a.dw,
          .d_bias = a.d_bias,
          .parts = parts,
          .bias_parts = parts + size};
}

template <class Shape>
void weight_grad(const Context& context, const LinearWeightGrad<bfloat16>& a) {
  const WeightGradWork work = work_of<Shape>(context, a);
  launch(context, "weight gradient",
         {.blocks = static_cast<unsigned>(work.plan.blocks),
          .threads = Shape::kThreads,
          .shared_bytes = Shape::kShared},
         weight_grad_kernel<Shape>, work, box_map(a.dy, a.out, a.n, 1), box_map(a.x, a.in, a.n, 1));
  if (!work.plan.has_parts()) return;
  launch(context, "weight gradient, parts",
         {.blocks = static_cast<unsigned>(work.plan.rest * (Shape::kTiles / kPartTiles)),
          .threads = Shape::kMakers},
         add_parts_kernel<Shape>, work);
}

// What the tiles cover.
template <class Shape>
double padded_size(const LinearWeightGrad<bfloat16>& a) {
  return static_cast<double>(ceil_div(a.out, Shape::kRows) * Shape::kRows) *
         static_cast<double>(ceil_div(a.in, Shape::kColumns) * Shape::kColumns);
}

bool is_aligned(const void* address) { return reinterpret_cast<uintptr_t>(address) % 16 == 0; }

}  // namespace

bool weight_grad_hopper(const Context& context, const LinearWeightGrad<bfloat16>& a) {
  constexpr int64_t kMost = int64_t{1} << 21;  // so that 32 bits count the steps of all blocks
  const bool fits = a.n > 0 && a.in > 0 && a.out > 0 && a.in % 8 == 0 && a.out % 8 == 0 &&
                    a.n < kMost && a.in < kMost && a.out < kMost && is_aligned(a.dy) &&
                    is_aligned(a.x) && reinterpret_cast<uintptr_t>(a.dw) % 8 == 0;
  if (!fits) return false;
  padded_size<SquareWeightGrad>(a) <= 1.05 * padded_size<LongWeightGrad>(a)
      ? weight_grad<SquareWeightGrad>(context, a)
      : weight_grad<LongWeightGrad>(context, a);
  return true;
}

}  // namespace bench::kernels::cuda
