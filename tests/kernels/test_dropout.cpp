// The generator against its authors' numbers, and what a mask that is never stored must keep to.
#include <gtest/gtest.h>

#include <cmath>

#include "kernels/dropout/op.h"
#include "kernels/ops.h"
#include "tests/kernels/support.h"

namespace bench::kernels::test {
namespace {

// Known answers of Random123 1.14, tests/kat_vectors.
TEST(Philox, GivesTheKnownAnswers) {
  EXPECT_EQ(Philox::random({0, 0, 0, 0}, {0, 0}),
            (Philox::Counter{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(Philox::random({~0u, ~0u, ~0u, ~0u}, {~0u, ~0u}),
            (Philox::Counter{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(
      Philox::random({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
      (Philox::Counter{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(Philox, IsTheSameInVectors) {
  for (const uint64_t position : {uint64_t{0}, (uint64_t{1} << 35) - 64, uint64_t{1} << 60}) {
    for (const int64_t size : {8, 24, 128, 1000}) {
      std::vector<uint16_t> bits(size);
      cpu::dropout_bits(0xfedcba9876543210, position, size, bits.data());
      for (int64_t i = 0; i < size; ++i) {
        ASSERT_EQ(bits[i], dropout_bits(0xfedcba9876543210, position + static_cast<uint64_t>(i)))
            << position << " + " << i;
      }
    }
  }
}

constexpr int64_t kRows = 64, kCols = 1000, kSize = kRows * kCols;

// Of ones, without bias or residual: 0 where dropped.
std::vector<float> dropped(double rate, uint64_t seed, uint64_t offset, int64_t rows = kRows,
                           int threads = 2) {
  Cpu device(threads);
  const std::vector<float> x(rows * kCols, 1.0f);
  std::vector<float> y(rows * kCols);
  ops_for<float>(DeviceKind::cpu)
      .dropout_forward(device.context(), {.n = rows,
                                          .h = kCols,
                                          .rate = rate,
                                          .seed = seed,
                                          .offset = offset,
                                          .x = x.data(),
                                          .bias = nullptr,
                                          .residual = nullptr,
                                          .y = y.data()});
  return y;
}

TEST(Dropout, DropsAtItsRateAndKeepsTheMean) {
  for (const double rate : {0.1, 0.5, 0.9}) {
    const auto y = dropped(rate, 1, 0);
    const auto zeros = static_cast<double>(std::count(y.begin(), y.end(), 0.0f));
    const double deviation = std::sqrt(rate * (1 - rate) * kSize);
    EXPECT_NEAR(zeros, rate * kSize, 4 * deviation) << rate;
    EXPECT_NEAR(*std::max_element(y.begin(), y.end()), 1 / (1 - rate), 1e-3 / (1 - rate)) << rate;
  }
}

TEST(Dropout, DropsNeighboursIndependently) {
  const auto y = dropped(0.5, 2, 0);
  for (const int64_t distance : {int64_t{1}, int64_t{2}, int64_t{8}, kCols}) {
    int64_t both = 0;
    for (int64_t i = 0; i + distance < kSize; ++i) both += y[i] == 0 && y[i + distance] == 0;
    EXPECT_NEAR(static_cast<double>(both), 0.25 * kSize, 5 * std::sqrt(0.25 * 0.75 * kSize))
        << distance;
  }
}

TEST(Dropout, DiffersWithTheSeed) { EXPECT_NE(dropped(0.5, 3, 0), dropped(0.5, 4, 0)); }

TEST(Dropout, IsTheSameInAnyPartAndOnAnyNumberOfThreads) {
  const auto all = dropped(0.3, 5, 7);
  for (const int threads : {1, 3}) EXPECT_EQ(dropped(0.3, 5, 7, kRows, threads), all) << threads;
  const int64_t rows = 13;
  const auto later = dropped(0.3, 5, 7 + rows * kCols, kRows - rows);
  EXPECT_TRUE(std::equal(later.begin(), later.end(), all.begin() + rows * kCols));
}

TEST(Dropout, LetsTheGradientThroughWhereTheForwardKept) {
  Cpu device(2);
  const auto y = dropped(0.3, 6, 11);
  const std::vector<float> dy(kSize, 1.0f);
  std::vector<float> dx(kSize);
  ops_for<float>(DeviceKind::cpu)
      .dropout_backward(device.context(), {.n = kRows,
                                           .h = kCols,
                                           .rate = 0.3,
                                           .seed = 6,
                                           .offset = 11,
                                           .dy = dy.data(),
                                           .dx = dx.data(),
                                           .d_bias = nullptr});
  EXPECT_EQ(dx, y);
}

}  // namespace
}  // namespace bench::kernels::test
