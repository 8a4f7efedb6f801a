// The weight gradient for Hopper, run thread by thread on the CPU and held to the formula.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/cuda_emulation/memory.h"
#include "tests/cuda_emulation/words.h"
// The words come before the kernels.
#include "kernels/linear/hopper_weight_grad_cuda.cuh"
#include "kernels/linear/op.h"

namespace bench::kernels::cuda {
namespace {

using emulation::error_of;
using emulation::Memory;

struct Extents {
  int n, in, out;
};

struct How {
  int blocks;
  bool accumulate = false, bias = true;
};

template <class Shape>
void expect_weight_grad(Extents e, How how) {
  SCOPED_TRACE(fmt::format("{} tokens, {} to {}, {} blocks of tiles of {}", e.n, e.in, e.out,
                           how.blocks, Shape::kRows));
  const auto ceil_div = [](int a, int b) { return (a + b - 1) / b; };
  const int column_tiles = ceil_div(e.in, Shape::kColumns);
  const DepthPlan plan = plan_depth(ceil_div(e.out, Shape::kRows) * column_tiles,
                                    ceil_div(e.n, Shape::kDepth), how.blocks);
  const Memory<bfloat16> dy(e.n * e.out, 1), x(e.n * e.in, 2);
  const auto start = [&](int64_t size) {
    return how.accumulate ? Memory<float>(size, 3) : Memory<float>(size);
  };
  const Memory<float> dw = start(e.out * e.in), want_dw = start(e.out * e.in),
                      d_bias = start(e.out), want_d_bias = start(e.out);
  const Memory<float> parts(plan.slots() * Shape::kPartSize),
      bias_parts(plan.slots() * Shape::kRows);
  const WeightGradWork work{.plan = plan,
                            .out = e.out,
                            .in = e.in,
                            .column_tiles = column_tiles,
                            .accumulate = how.accumulate,
                            .dw = dw.data(),
                            .d_bias = how.bias ? d_bias.data() : nullptr,
                            .parts = parts.data(),
                            .bias_parts = bias_parts.data()};
  const TensorMap dy_map{reinterpret_cast<const uint16_t*>(dy.data()), e.out, e.n, 1},
      x_map{reinterpret_cast<const uint16_t*>(x.data()), e.in, e.n, 1};
  emulation::launch(plan.blocks, Shape::kThreads, Shape::kShared,
                    [&] { weight_grad_kernel<Shape>(work, dy_map, x_map); });
  if (plan.has_parts()) {
    emulation::launch(plan.rest * (Shape::kTiles / kPartTiles), Shape::kMakers, 0,
                      [&] { add_parts_kernel<Shape>(work); });
  }
  reference_linear_weight_grad(
      LinearWeightGrad<bfloat16>{.n = e.n,
                                 .in = e.in,
                                 .out = e.out,
                                 .accumulate = how.accumulate,
                                 .dy = dy.data(),
                                 .x = x.data(),
                                 .dw = want_dw.data(),
                                 .d_bias = how.bias ? want_d_bias.data() : nullptr});
  EXPECT_LE(error_of(dw, want_dw), linear_tolerance<float>(e.n));
  if (!how.bias) return;
  EXPECT_LE(error_of(d_bias, want_d_bias), linear_tolerance<float>(e.n));
}

TEST(WeightGradOnHopper, IsThatOfTheFormula) {
  expect_weight_grad<LongWeightGrad>({1, 8, 8}, {.blocks = 3});
  expect_weight_grad<LongWeightGrad>({330, 264, 136}, {.blocks = 1});
  expect_weight_grad<LongWeightGrad>({330, 264, 136}, {.blocks = 6, .accumulate = true});
  expect_weight_grad<SquareWeightGrad>({200, 256, 192}, {.blocks = 3});
  expect_weight_grad<SquareWeightGrad>({650, 72, 400}, {.blocks = 4});
  expect_weight_grad<SquareWeightGrad>({650, 520, 200},
                                       {.blocks = 4, .accumulate = true, .bias = false});
}

}  // namespace
}  // namespace bench::kernels::cuda
