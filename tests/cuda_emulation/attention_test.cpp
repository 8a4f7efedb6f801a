// The kernels of attention for GPUs, run thread by thread on the CPU and held to the formula.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "tests/cuda_emulation/memory.h"
#include "tests/cuda_emulation/words.h"
// The words come before the kernels.
#include "kernels/attention/float_backward_cuda.cuh"
#include "kernels/attention/hopper_backward_cuda.cuh"
#include "kernels/attention/hopper_forward_cuda.cuh"
#include "kernels/attention/op.h"
#include "kernels/attention/query_grad_cuda.cuh"
#include "kernels/attention/tiles_backward_cuda.cuh"
#include "kernels/attention/tiles_forward_cuda.cuh"

namespace bench::kernels::cuda {
namespace {

using emulation::error_of;
using emulation::Memory;

struct Extents {
  int64_t batch, seq, heads, d;
  int64_t tasks() const { return batch * heads; }
  int64_t rows() const { return batch * seq * heads; }
  int64_t size() const { return rows() * d; }
};

template <class T>
std::vector<double> log_sums_of(const AttentionForward<T>& a) {
  std::vector<double> sums;
  for (int64_t task = 0; task < a.batch * a.heads; ++task) {
    for (int64_t i = 0; i < a.seq; ++i) {
      double sum = 0;
      for (int64_t j = 0; j <= i; ++j) {
        const T* const q = a.qkv + qkv_offset(a, task / a.heads, i, task % a.heads, 0);
        const T* const k = a.qkv + qkv_offset(a, task / a.heads, j, task % a.heads, 1);
        double score = 0;
        for (int64_t c = 0; c < a.d; ++c) score += static_cast<double>(q[c]) * k[c];
        sum += std::exp(score / std::sqrt(static_cast<double>(a.d)));
      }
      sums.push_back(std::log2(sum));
    }
  }
  return sums;
}

template <class T>
struct Tensors {
  explicit Tensors(Extents extents)
      : e(extents),
        qkv(3 * e.size(), 1),
        d_out(e.size(), 2),
        out(e.size()),
        d_qkv(3 * e.size()),
        log_sums(e.rows()) {}

  AttentionForward<T> forward() const {
    return {.batch = e.batch,
            .seq = e.seq,
            .heads = e.heads,
            .d = e.d,
            .qkv = qkv.data(),
            .out = out.data(),
            .saved = log_sums.data()};
  }
  AttentionBackward<T> backward() const {
    return {.batch = e.batch,
            .seq = e.seq,
            .heads = e.heads,
            .d = e.d,
            .qkv = qkv.data(),
            .out = out.data(),
            .saved = log_sums.data(),
            .d_out = d_out.data(),
            .d_qkv = d_qkv.data()};
  }
  float scale() const { return static_cast<float>(1 / std::sqrt(static_cast<double>(e.d))); }
  double tolerance() const { return attention_tolerance<T>(e.seq, e.d); }

  Extents e;
  Memory<T> qkv, d_out, out, d_qkv;
  Memory<float> log_sums;
};

// run(tensors, grid) is to write `out` and `log_sums`.
template <class Shape, class T, class Run>
void expect_forward(Extents e, int section, const Run& run) {
  SCOPED_TRACE(fmt::format("forward {} x {} x {} x {}", e.batch, e.seq, e.heads, e.d));
  const Tensors<T> t(e);
  const ForwardGrid grid{
      .tasks = static_cast<int>(e.tasks()),
      .tiles_per_task = static_cast<int>(tiles::ceil_div<int64_t>(e.seq, Shape::kQueries)),
      .section = section};
  run(t, grid);
  const Memory<T> want(e.size());
  AttentionForward<T> reference = t.forward();
  reference.out = want.data();
  reference_attention_forward(reference);
  EXPECT_LE(error_of(t.out, want), t.tolerance());
  const std::vector<double> log_sums = log_sums_of(reference);
  for (size_t i = 0; i < log_sums.size(); ++i)
    EXPECT_NEAR(t.log_sums.data()[i], log_sums[i], 1e-5) << "row " << i;
}

struct Dealt {
  int groups;
  bool shared = false;
};

// run(tensors, plan) is to write the gradients of keys and values and add up that of the queries.
template <class Shape, int kWidth, class T, class Run, class QueryGrad>
void expect_backward(Extents e, Dealt dealt, const Run& run, const QueryGrad& query_grad) {
  SCOPED_TRACE(fmt::format("backward {} x {} x {} x {}, groups {}", e.batch, e.seq, e.heads, e.d,
                           dealt.groups));
  const Tensors<T> t(e);
  reference_attention_forward(t.forward());
  const auto log_sums = log_sums_of(t.forward());
  std::copy(log_sums.begin(), log_sums.end(), t.log_sums.data());
  const int64_t sums = dealt.shared ? 1 : dealt.groups;
  const Memory<float> means(e.rows()),
      query_grads(sums * e.tasks() * query_grad_size<Shape>(e.seq));
  if (dealt.shared) std::fill_n(query_grads.data(), query_grads.size(), 0.0f);
  const BackwardPlan plan{.score_scale = t.scale(),
                          .tasks = static_cast<int>(e.tasks()),
                          .groups = dealt.groups,
                          .section = 2,
                          .means = means.data(),
                          .query_grads = query_grads.data(),
                          .shared = dealt.shared};
  emulation::launch(tiles::ceil_div<int64_t>(e.rows(), 32), 256, 0,
                    [&] { row_means_kernel<T, kWidth>(t.backward(), means.data()); });
  run(t, plan);
  constexpr int64_t kColumns = std::is_same_v<T, float> ? 4 : 8;
  const int64_t pieces = e.rows() * tiles::ceil_div(e.d, kColumns);
  emulation::launch(tiles::ceil_div<int64_t>(pieces, 256), 256, 0,
                    [&] { query_grad(t.backward(), plan); });
  const Memory<T> want(3 * e.size());
  AttentionBackward<T> reference = t.backward();
  reference.d_qkv = want.data();
  reference_attention_backward(reference);
  EXPECT_LE(error_of(t.d_qkv, want), t.tolerance());
}

template <int kDim, bool kAligned>
void expect_tiles_forward(Extents e, int section = 2) {
  using Shape = ForwardShape<kDim>;
  expect_forward<Shape, bfloat16>(e, section, [](const auto& t, const ForwardGrid& grid) {
    emulation::launch(grid.blocks(), Shape::kThreads, Shape::kForwardShared, [&] {
      forward_kernel<Shape, kAligned>(t.forward(), t.scale() * kLog2E, grid);
    });
  });
}

template <int kDim, bool kAligned>
void expect_tiles_backward(Extents e, Dealt dealt) {
  using Shape = BackwardShape<kDim>;
  expect_backward<Shape, kAligned ? 8 : 1, bfloat16>(
      e, dealt,
      [](const auto& t, const BackwardPlan& plan) {
        emulation::launch(plan.blocks(), Shape::kThreads, Shape::kBackwardShared,
                          [&] { backward_kernel<Shape, kAligned>(t.backward(), plan); });
      },
      query_grad_kernel<Shape, kAligned>);
}

template <int kDim, bool kAligned>
void expect_float_forward(Extents e) {
  using Shape = FloatShape<kDim>;
  expect_forward<Shape, float>(e, 2, [](const auto& t, const ForwardGrid& grid) {
    emulation::launch(grid.blocks(), Shape::kThreads, Shape::kForwardShared, [&] {
      float_forward_kernel<Shape, kAligned>(t.forward(), t.scale() * kLog2E, grid);
    });
  });
}

template <int kDim, bool kAligned>
void expect_float_backward(Extents e, Dealt dealt) {
  using Shape = FloatShape<kDim>;
  expect_backward<Shape, kAligned ? 4 : 1, float>(
      e, dealt,
      [](const auto& t, const BackwardPlan& plan) {
        emulation::launch(plan.blocks(), Shape::kThreads, Shape::kBackwardShared,
                          [&] { float_backward_kernel<Shape, kAligned>(t.backward(), plan); });
      },
      float_query_grad_kernel<Shape, kAligned>);
}

TensorMap map_of(const bfloat16* memory, Extents e, int64_t width) {
  return {reinterpret_cast<const uint16_t*>(memory), e.heads * width * e.d, e.seq, e.batch};
}

template <int kDim>
void expect_hopper_forward(Extents e, int64_t at_once) {
  using Shape = HopperForwardShape<kDim>;
  expect_forward<Shape, bfloat16>(e, 2, [&](const auto& t, const ForwardGrid& grid) {
    int taken = 0;
    const HopperForwardPlan plan{.scale = t.scale() * kLog2E, .grid = grid, .taken = &taken};
    const TensorMap qkv = map_of(t.qkv.data(), e, 3);
    emulation::launch(std::min(at_once, grid.blocks()), Shape::kThreads, Shape::kForwardShared,
                      [&] { hopper_forward_kernel<Shape>(t.forward(), plan, qkv); });
  });
}

template <int kDim>
void expect_hopper_backward(Extents e, Dealt dealt) {
  using Shape = HopperBackwardShape<kDim>;
  expect_backward<Shape, 8, bfloat16>(
      e, dealt,
      [&](const auto& t, const BackwardPlan& plan) {
        const HopperMaps maps{.qkv = map_of(t.qkv.data(), e, 3),
                              .d_out = map_of(t.d_out.data(), e, 1)};
        emulation::launch(plan.blocks(), Shape::kThreads, Shape::kBackwardShared,
                          [&] { hopper_backward_kernel<Shape>(t.backward(), plan, maps); });
      },
      query_grad_kernel<Shape, true>);
}

TEST(TilesOnTensorCores, AttendAsTheFormula) {
  expect_tiles_forward<64, true>({1, 1, 1, 64});
  expect_tiles_forward<64, true>({2, 3, 2, 16}, 3);
  expect_tiles_forward<64, true>({1, 300, 3, 64});
  expect_tiles_forward<64, false>({1, 17, 3, 5});
  expect_tiles_forward<64, false>({1, 193, 1, 1});
  expect_tiles_forward<80, true>({1, 130, 2, 72});
  expect_tiles_forward<96, true>({1, 200, 1, 96});
  expect_tiles_forward<128, true>({1, 257, 2, 128});
  expect_tiles_forward<128, false>({1, 140, 1, 127});
}

TEST(TilesOnTensorCores, GiveTheGradientsOfTheFormula) {
  expect_tiles_backward<64, true>({1, 1, 1, 64}, {1});
  expect_tiles_backward<64, true>({1, 300, 2, 64}, {2});
  expect_tiles_backward<64, true>({1, 300, 1, 64}, {3, true});
  expect_tiles_backward<64, false>({1, 17, 3, 5}, {1});
  expect_tiles_backward<96, true>({1, 200, 1, 72}, {1});
  expect_tiles_backward<128, true>({1, 257, 1, 128}, {2});
  expect_tiles_backward<128, false>({1, 140, 1, 65}, {2});
}

TEST(TilesOnTensorCores, ReadWithoutBankConflicts) {
  const int before = bank_conflicts();
  expect_tiles_forward<80, true>({1, 65, 1, 80});
  expect_tiles_backward<96, true>({1, 65, 1, 96}, {1});
  expect_tiles_backward<128, true>({1, 65, 1, 128}, {1});
  EXPECT_EQ(bank_conflicts(), before);
}

TEST(TilesInFloat, AttendAsTheFormula) {
  expect_float_forward<64, true>({2, 130, 1, 64});
  expect_float_forward<64, false>({1, 17, 3, 5});
  expect_float_forward<128, true>({1, 65, 1, 96});
  expect_float_forward<256, false>({1, 33, 1, 129});
}

TEST(TilesInFloat, GiveTheGradientsOfTheFormula) {
  expect_float_backward<64, true>({1, 200, 2, 64}, {2});
  expect_float_backward<64, true>({1, 130, 1, 64}, {3, true});
  expect_float_backward<128, false>({1, 65, 1, 127}, {2});
  expect_float_backward<256, true>({1, 40, 1, 200}, {1});
}

TEST(TilesOnHopper, AttendAsTheFormula) {
  expect_hopper_forward<64>({1, 1, 1, 64}, 3);
  expect_hopper_forward<64>({2, 300, 2, 64}, 3);
  expect_hopper_forward<64>({1, 384, 1, 64}, 1);
  expect_hopper_forward<128>({2, 200, 1, 128}, 1);
  expect_hopper_forward<128>({1, 330, 2, 128}, 2);
}

TEST(TilesOnHopper, GiveTheGradientsOfTheFormula) {
  expect_hopper_backward<64>({1, 3, 2, 64}, {1});
  expect_hopper_backward<64>({1, 300, 1, 64}, {2});
  expect_hopper_backward<128>({2, 140, 1, 128}, {2, true});
  expect_hopper_backward<128>({1, 330, 1, 128}, {2});
}

}  // namespace
}  // namespace bench::kernels::cuda
