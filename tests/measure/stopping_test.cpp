#include "bench/measure/stopping.h"

#include <gtest/gtest.h>

namespace bench::measure {
namespace {

void feed(Stopping& stopping, int64_t n, double value) {
  for (int64_t i = 0; i < n; ++i) stopping.add(value);
}

TEST(Stopping, goes_on_below_the_least_count) {
  Stopping stopping({.min_samples = 30});
  feed(stopping, 29, 1.0);
  EXPECT_EQ(stopping.reason(1.0), "");
  stopping.add(1.0);
  EXPECT_EQ(stopping.reason(1.0), "converged");
}

TEST(Stopping, goes_on_below_the_least_time) {
  Stopping stopping({.min_seconds = 0.2});
  feed(stopping, 30, 1.0);
  EXPECT_EQ(stopping.reason(0.19), "");
  EXPECT_EQ(stopping.reason(0.2), "converged");
}

TEST(Stopping, goes_on_while_the_interval_is_wide) {
  Stopping stopping({.relative_half_width = 0.01});
  for (int i = 0; i < 50; ++i) stopping.add(i % 2 == 0 ? 0.9 : 1.1);
  EXPECT_EQ(stopping.reason(1.0), "");
  EXPECT_DOUBLE_EQ(stopping.median_s(), 1.0);
  EXPECT_NEAR(stopping.half_width_s(), 0.1, 1e-12);
}

TEST(Stopping, a_few_outliers_do_not_widen_it) {
  Stopping stopping({});
  feed(stopping, 36, 1.0);
  feed(stopping, 4, 50.0);
  EXPECT_EQ(stopping.reason(1.0), "converged");
  EXPECT_DOUBLE_EQ(stopping.median_s(), 1.0);
}

TEST(Stopping, is_never_precise_with_fewer_than_six) {
  Stopping stopping({.min_samples = 1});
  feed(stopping, 5, 1.0);
  EXPECT_EQ(stopping.reason(1.0), "");
  stopping.add(1.0);
  EXPECT_EQ(stopping.reason(1.0), "converged");
}

TEST(Stopping, says_which_cap_ended_it) {
  Stopping slow({.max_seconds = 5});
  slow.add(6.0);
  EXPECT_EQ(slow.reason(6.0), "max_time");
  Stopping many({.min_samples = 30, .max_samples = 40});
  for (int i = 0; i < 40; ++i) many.add(i);
  EXPECT_EQ(many.reason(1.0), "max_samples");
}

TEST(Stopping, fixed_knows_no_precision_and_no_time) {
  Stopping stopping({.max_seconds = 1, .fixed_samples = 3});
  feed(stopping, 2, 1.0);
  EXPECT_EQ(stopping.reason(100.0), "");
  stopping.add(7.0);
  EXPECT_EQ(stopping.reason(100.0), "fixed");
}

TEST(NextBlock, looks_about_every_quarter_of_a_second) {
  const Stopping stopping({.max_seconds = 100});
  EXPECT_EQ(stopping.next_block(1e-6, 0), 256);
  EXPECT_EQ(stopping.next_block(0.002, 0), 125);
  EXPECT_EQ(stopping.next_block(0.02, 0), 16);  // 0.32 s: worth waiting for sixteen
  EXPECT_EQ(stopping.next_block(0.1, 0), 2);
  EXPECT_EQ(stopping.next_block(3.0, 0), 1);
}

TEST(NextBlock, does_not_run_past_the_caps) {
  Stopping stopping({.max_samples = 40, .max_seconds = 1});
  feed(stopping, 30, 0.01);
  EXPECT_EQ(stopping.next_block(0.01, 0), 10);
  EXPECT_EQ(stopping.next_block(0.01, 0.955), 5);
  EXPECT_EQ(stopping.next_block(0.01, 2), 1);
  const Stopping fixed({.max_seconds = 0.001, .fixed_samples = 7});
  EXPECT_EQ(fixed.next_block(0.01, 5), 7);
}

}  // namespace
}  // namespace bench::measure
