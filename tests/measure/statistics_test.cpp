#include "bench/measure/statistics.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <numeric>
#include <vector>

namespace bench::measure {
namespace {

TEST(Quantile, interpolates_between_order_statistics_as_numpy_does) {
  const std::vector<double> values = {4, 1, 3, 2};
  EXPECT_DOUBLE_EQ(quantile_of(values, 0), 1);
  EXPECT_DOUBLE_EQ(quantile_of(values, 0.05), 1.15);
  EXPECT_DOUBLE_EQ(quantile_of(values, 0.25), 1.75);
  EXPECT_DOUBLE_EQ(quantile_of(values, 0.5), 2.5);
  EXPECT_DOUBLE_EQ(quantile_of(values, 0.95), 3.85);
  EXPECT_DOUBLE_EQ(quantile_of(values, 1), 4);
}

TEST(Quantile, of_one_value_is_that_value) {
  EXPECT_DOUBLE_EQ(quantile_of(std::vector<double>{7}, 0.95), 7);
}

TEST(Statistics, of_nothing_are_zero) {
  const std::vector<double> none;
  EXPECT_EQ(median_of(none), 0);
  EXPECT_EQ(mean_of(none), 0);
  EXPECT_EQ(standard_deviation_of(none), 0);
  EXPECT_EQ(median_absolute_deviation_of(none), 0);
  EXPECT_EQ(median_interval_of(none).high, 0);
  EXPECT_FALSE(drift_of(none).has_value());
}

TEST(Median, of_odd_and_even_counts) {
  EXPECT_DOUBLE_EQ(median_of(std::vector<double>{9, 1, 5}), 5);
  EXPECT_DOUBLE_EQ(median_of(std::vector<double>{9, 1, 5, 6}), 5.5);
}

TEST(StandardDeviation, divides_by_n_minus_one) {
  EXPECT_NEAR(standard_deviation_of(std::vector<double>{2, 4, 4, 4, 5, 5, 7, 9}), 2.138089935299395,
              1e-15);
}

TEST(MedianAbsoluteDeviation, is_not_scaled) {
  EXPECT_DOUBLE_EQ(median_absolute_deviation_of(std::vector<double>{1, 1, 2, 2, 4, 6, 9}), 1);
}

TEST(MedianInterval, orders_are_those_of_the_published_tables) {
  // Hahn and Meeker (1991), table A.15a; 95 %, symmetric.
  EXPECT_EQ(median_interval_order(5), 0);
  EXPECT_EQ(median_interval_order(6), 1);
  EXPECT_EQ(median_interval_order(9), 2);
  EXPECT_EQ(median_interval_order(10), 2);
  EXPECT_EQ(median_interval_order(20), 6);
  EXPECT_EQ(median_interval_order(30), 10);
  EXPECT_EQ(median_interval_order(100), 40);
}

// P(x(k) < median < x(n - k + 1)) = 1 - 2 P(Bin(n, 1/2) < k), from Pascal's triangle in integers.
double coverage(int64_t n, int64_t k) {
  std::vector<uint64_t> row = {1};
  for (int64_t i = 0; i < n; ++i) {
    std::vector<uint64_t> next(row.size() + 1, 1);
    for (size_t j = 1; j < row.size(); ++j) next[j] = row[j - 1] + row[j];
    row = next;
  }
  uint64_t below = 0;
  for (int64_t i = 0; i < k; ++i) below += row[static_cast<size_t>(i)];
  return 1 - 2 * static_cast<double>(below) / static_cast<double>(uint64_t{1} << n);
}

TEST(MedianInterval, is_the_narrowest_that_covers_95_percent) {
  for (int64_t n = 6; n <= 60; ++n) {
    const int64_t k = median_interval_order(n);
    EXPECT_GE(coverage(n, k), 0.95) << n;
    EXPECT_LT(coverage(n, k + 1), 0.95) << n;
  }
}

TEST(MedianInterval, normal_limit_takes_over_without_a_step) {
  const int64_t exact = median_interval_order(1000), limit = median_interval_order(1001);
  EXPECT_EQ(exact, 469);
  EXPECT_GE(limit, exact);
  EXPECT_LE(limit, exact + 1);
}

TEST(MedianInterval, encloses_with_order_statistics) {
  std::vector<double> values(30);
  std::iota(values.begin(), values.end(), 1.0);
  EXPECT_DOUBLE_EQ(median_interval_of(values).low, 10);
  EXPECT_DOUBLE_EQ(median_interval_of(values).high, 21);
}

TEST(MedianInterval, of_few_is_the_whole_range) {
  const schema::Interval range = median_interval_of(std::vector<double>{3, 1, 2});
  EXPECT_DOUBLE_EQ(range.low, 1);
  EXPECT_DOUBLE_EQ(range.high, 3);
}

TEST(Drift, compares_the_halves_in_the_order_taken) {
  EXPECT_NEAR(drift_of(std::vector<double>{10, 10, 99, 11, 11}).value(), 0.1, 1e-12);
  EXPECT_FALSE(drift_of(std::vector<double>{10, 10, 11}).has_value());
  EXPECT_FALSE(drift_of(std::vector<double>{0, 0, 11, 11}).has_value());
}

}  // namespace
}  // namespace bench::measure
