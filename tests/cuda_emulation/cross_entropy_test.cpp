// The kernel of cross entropy that keeps rows in shared memory, run thread by thread on the CPU and
// held to the formula.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "tests/cuda_emulation/memory.h"
#include "tests/cuda_emulation/words.h"
// The words come before the kernels.
#include "kernels/cross_entropy/op.h"
#include "kernels/cross_entropy/own_whole.cuh"

namespace bench::kernels::cuda {
namespace {

using emulation::error_of;
using emulation::Memory;

struct Rows {
  int64_t n, cols, valid;
  unsigned blocks;
  bool in_place = false;
};

// Targets in turn: the last valid column, one past it, the first, one far outside, one in between.
Memory<int32_t> targets_of(const Rows& rows) {
  const int64_t choices[] = {rows.valid - 1, rows.valid, 0, -1, rows.valid / 2};
  Memory<int32_t> targets(rows.n);
  for (int64_t r = 0; r < rows.n; ++r) targets.data()[r] = static_cast<int32_t>(choices[r % 5]);
  return targets;
}

// What is past the valid columns must not matter, however large.
template <class T>
Memory<T> logits_of(const Rows& rows) {
  Memory<T> logits(rows.n * rows.cols, 3);
  for (int64_t i = 0; i < rows.n * rows.cols; ++i) {
    T& x = logits.data()[i];
    x = i % rows.cols < rows.valid ? T(static_cast<float>(x) * 8) : T(1e30f);
  }
  return logits;
}

template <class T, int kBlock>
void expect_formula(const Rows& rows) {
  SCOPED_TRACE(fmt::format("{} x {}, {} valid, {} blocks of {}{}", rows.n, rows.cols, rows.valid,
                           rows.blocks, kBlock, rows.in_place ? ", in place" : ""));
  const Memory<T> logits = logits_of<T>(rows), grad(rows.n * rows.cols), want(rows.n * rows.cols);
  const Memory<float> loss(rows.n), want_loss(rows.n);
  const Memory<int32_t> targets = targets_of(rows);
  CrossEntropy<T> a{.n = rows.n,
                    .cols = rows.cols,
                    .true_vocab = rows.valid,
                    .scale = 0.5f,
                    .logits = logits.data(),
                    .targets = targets.data(),
                    .loss = want_loss.data(),
                    .d_logits = want.data()};
  reference_cross_entropy(a);
  a.loss = loss.data();
  a.d_logits = rows.in_place ? logits.data() : grad.data();
  ASSERT_TRUE(has_aligned_rows(a));
  const KeptRowPlan plan =
      plan_kept_row(kept_columns(a), sizeof(T), 0,
                    {.of_block = 1 << 20, .of_multiprocessor = 1 << 20, .reserved = 0});
  emulation::launch(rows.blocks, kBlock, static_cast<size_t>(plan.bytes),
                    [&] { loss_and_grad_of_kept_rows<T, kBlock>(a); });
  EXPECT_TRUE(copies().empty());
  const double tolerance = cross_entropy_tolerance<T>(rows.cols);
  EXPECT_LE(error_of(rows.in_place ? logits : grad, want), tolerance);
  EXPECT_LE(error_of(loss, want_loss), cross_entropy_tolerance<float>(rows.cols));
}

template <class T>
class KeptRowsOfCrossEntropy : public testing::Test {};
using Formats = testing::Types<float, bfloat16>;
TYPED_TEST_SUITE(KeptRowsOfCrossEntropy, Formats);

TYPED_TEST(KeptRowsOfCrossEntropy, AreAsTheFormulaWhereNotEveryThreadHasAPack) {
  for (const bool in_place : {false, true}) {
    expect_formula<TypeParam, 512>({5, 8, 1, 2, in_place});
    expect_formula<TypeParam, 512>({3, 1024, 1001, 1, in_place});
    expect_formula<TypeParam, 1024>({3, 16, 16, 1, in_place});
  }
}

TYPED_TEST(KeptRowsOfCrossEntropy, AreAsTheFormulaWhereThreadsHaveSeveralPacks) {
  expect_formula<TypeParam, 512>({5, 5000, 5000, 2});
  expect_formula<TypeParam, 512>({6, 5000, 4997, 1, true});
  expect_formula<TypeParam, 1024>({1, 8200, 8193, 1});
  expect_formula<TypeParam, 1024>({3, 9000, 8999, 2, true});
}

// Each thread's places are more than it asks for at a time.
TYPED_TEST(KeptRowsOfCrossEntropy, AreAsTheFormulaWhereThreadsGoRoundTwice) {
  expect_formula<TypeParam, 512>({3, 20000, 19983, 1, true});
  expect_formula<TypeParam, 1024>({2, 33000, 32999, 1});
}

}  // namespace
}  // namespace bench::kernels::cuda
