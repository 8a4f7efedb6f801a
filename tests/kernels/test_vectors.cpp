// What the kernels have in common: the instruction set in use, NaNs kept, work shared without gaps.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "kernels/cpu/parallel.h"
#include "kernels/cpu/target.h"
#include "kernels/ops.h"
#include "tests/kernels/support.h"

namespace bench::kernels::test {
namespace {

#if defined(__x86_64__)
TEST(SimdTarget, IsTheWidestThatTheProcessorHas) {
  const bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  EXPECT_EQ(cpu::simd_target(), avx512 ? "AVX3" : avx2 ? "AVX2" : "SSE2");
}
#endif

TEST(Parts, CoverEverythingOnceAndBeginAtTheGrain) {
  for (const int64_t size : {0, 1, 15, 16, 17, 1000}) {
    for (const int count : {1, 2, 3, 7}) {
      int64_t next = 0;
      for (int i = 0; i < count; ++i) {
        const auto part = cpu::part_of(size, i, count, 16);
        EXPECT_EQ(part.begin, next);
        EXPECT_TRUE(part.begin % 16 == 0 || part.begin == size);
        next = part.end;
      }
      EXPECT_EQ(next, size);
    }
  }
}

TEST(Parts, ThrowWhatTheBodyThrows) {
  Cpu device(2);
  EXPECT_THROW(cpu::parallel_parts(device.context(), 2, 1,
                                   [](const cpu::Part&) { throw std::runtime_error("here"); }),
               std::runtime_error);
}

// A step that diverged must not look healthy.
TEST(NotANumber, InOneLogitReachesTheLoss) {
  Cpu device(1);
  const auto ops = ops_for<float>(DeviceKind::cpu);
  for (const int64_t cols : {5, 100}) {
    std::vector<float> logits(cols, 0.5f);
    logits[3] = std::numeric_limits<float>::quiet_NaN();
    const float row_max = 1;
    const int32_t target = 0;
    std::vector<float> sums(2);
    ops.cross_entropy_sum(device.context(), {.n = 1,
                                             .cols = cols,
                                             .first_col = 0,
                                             .true_vocab = cols,
                                             .logits = logits.data(),
                                             .row_max = &row_max,
                                             .targets = &target,
                                             .sum_and_target = sums.data()});
    EXPECT_TRUE(std::isnan(sums[0])) << cols;
  }
}

TEST(NotANumber, PassesThroughGelu) {
  Cpu device(1);
  std::vector<float> x(33, std::numeric_limits<float>::quiet_NaN());
  ops_for<float>(DeviceKind::cpu)
      .gelu_forward(device.context(), {.size = 33, .x = x.data(), .y = x.data()});
  for (const float y : x) EXPECT_TRUE(std::isnan(y));
}

}  // namespace
}  // namespace bench::kernels::test
