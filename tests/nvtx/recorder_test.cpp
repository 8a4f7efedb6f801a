#include "bench/trace/recorder.h"

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <string>
#include <thread>

#include "tests/device/fake_gpu.h"

namespace bench::trace {
namespace {

class RecorderTest : public testing::Test {
 protected:
  void range(
      const char* name, int64_t before_ns, const std::function<void()>& inside = [] {}) {
    recorder.push({}, name, 0);
    clock.advance_ns(before_ns);
    inside();
    recorder.pop({});
  }
  FakeClock clock;
  Recorder recorder{clock};
};

TEST_F(RecorderTest, knows_the_innermost_range) {
  EXPECT_STREQ(recorder.innermost(), "");
  recorder.push({}, "outer", 0);
  recorder.push({}, "inner", 0);
  EXPECT_STREQ(recorder.innermost(), "inner");
  EXPECT_EQ(recorder.depth(), 2);
  recorder.pop({});
  EXPECT_STREQ(recorder.innermost(), "outer");
  recorder.pop({});
  recorder.pop({});
  EXPECT_STREQ(recorder.innermost(), "");
}

TEST_F(RecorderTest, says_whether_times_are_added_up) {
  EXPECT_FALSE(recorder.recording());
  recorder.record(true);
  EXPECT_TRUE(recorder.recording());
  recorder.record(false);
  EXPECT_FALSE(recorder.recording());
}

TEST_F(RecorderTest, keeps_texts_that_their_owner_forgets) {
  std::string name = "first";
  recorder.push({}, name.c_str(), 0);
  const char* seen = recorder.innermost();
  recorder.pop({});
  name = "other";
  recorder.push({}, name.c_str(), 0);
  EXPECT_STREQ(seen, "first");
  EXPECT_STREQ(recorder.innermost(), "other");
}

TEST_F(RecorderTest, the_innermost_may_be_read_from_another_thread) {
  std::atomic<bool> done = false;
  std::thread watcher([&] {
    while (!done) {
      const std::string seen = recorder.innermost();
      EXPECT_TRUE(seen.empty() || seen == "a" || seen == "b") << seen;
    }
  });
  for (int i = 0; i < 1000; ++i) range("a", 1, [&] { range("b", 1); });
  done = true;
  watcher.join();
}

TEST_F(RecorderTest, sums_nothing_unless_told) {
  range("work", 100);
  EXPECT_TRUE(recorder.totals_s().empty());
}

TEST_F(RecorderTest, sums_whole_and_own_times) {
  recorder.record(true);
  for (int i = 0; i < 2; ++i) {
    range("step", 100, [&] {
      range("forward", 1000, [&] { range("all_reduce", 10); });
      range("backward", 2000, [&] { range("all_reduce", 20); });
    });
  }
  recorder.record(false);
  range("step", 5'000);
  const auto whole = recorder.totals_s(), own = recorder.exclusive_s();
  EXPECT_NEAR(whole.at("step"), 6260e-9, 1e-15);
  EXPECT_NEAR(whole.at("forward"), 2020e-9, 1e-15);
  EXPECT_NEAR(whole.at("all_reduce"), 60e-9, 1e-15);
  EXPECT_NEAR(own.at("step"), 200e-9, 1e-15);
  EXPECT_NEAR(own.at("forward"), 2000e-9, 1e-15);
  double sum = 0;
  for (const auto& [name, seconds] : own) sum += seconds;
  EXPECT_NEAR(sum, whole.at("step"), 1e-15);
}

TEST_F(RecorderTest, a_range_within_its_like_counts_once) {
  recorder.record(true);
  range("reduce", 5, [&] { range("reduce", 7); });
  EXPECT_NEAR(recorder.totals_s().at("reduce"), 12e-9, 1e-15);
  EXPECT_NEAR(recorder.exclusive_s().at("reduce"), 12e-9, 1e-15);
}

TEST_F(RecorderTest, leaves_out_ranges_that_were_open_when_it_began) {
  recorder.push({}, "phase", 0);
  clock.advance_ns(50);
  recorder.record(true);
  range("inside", 3);
  recorder.pop({});
  EXPECT_EQ(recorder.totals_s().count("phase"), 0u);
  EXPECT_NEAR(recorder.totals_s().at("inside"), 3e-9, 1e-15);
}

TEST_F(RecorderTest, begins_again_from_zero) {
  recorder.record(true);
  range("old", 3);
  recorder.record(true);
  range("new", 4);
  EXPECT_EQ(recorder.totals_s().size(), 1u);
}

// The host has given everything at once; the device takes its time.
TEST_F(RecorderTest, times_ranges_by_when_the_devices_streams_pass_them) {
  test::FakeGpu gpu;
  recorder.time_on(gpu);
  const Stream s{&gpu};
  recorder.record(true);
  recorder.push(s, "forward", 0);
  recorder.push(s, "layer", 0);
  recorder.pop(s);
  recorder.push(s, "layer", 1);
  recorder.pop(s);
  recorder.pop(s);
  recorder.push(s, "cut off", 0);
  ASSERT_EQ(gpu.stamped.size(), 7U);
  EXPECT_EQ(gpu.stamped.front().native, s.native);
  gpu.stamps_to_read = {0, 100, 300, 310, 700, 1000, 1000};
  recorder.record(false);
  recorder.pop(s);
  EXPECT_TRUE(gpu.stamped.empty());
  const auto whole = recorder.totals_s(), own = recorder.exclusive_s();
  EXPECT_EQ(whole.size(), 2U);
  EXPECT_NEAR(whole.at("forward"), 1000e-9, 1e-15);
  EXPECT_NEAR(own.at("forward"), 410e-9, 1e-15);
  EXPECT_NEAR(own.at("layer"), 590e-9, 1e-15);
}

}  // namespace
}  // namespace bench::trace
