// A kernel that knows its own true lengths: what is reported has to be what it was.

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "bench/measure/statistics.h"
#include "bench/measure/summary.h"
#include "tests/measure/ranks.h"
#include "tests/measure/simulated.h"

namespace bench::measure {
namespace {

constexpr double kJitter = 0.2;

void expect_reported_is_recorded(const RoundSamples& reported, std::span<const double> recorded) {
  ASSERT_EQ(reported.own_s.size(), recorded.size());
  for (const double p : {0.05, 0.5, 0.95}) {
    const double truth = quantile_of(recorded, p);
    EXPECT_NEAR(quantile_of(reported.own_s, p), truth, std::max(0.01 * truth, 1e-6))
        << "quantile " << p;
  }
}

class SimulatedLength : public testing::TestWithParam<int64_t> {};
INSTANTIATE_TEST_SUITE_P(FromTenMicrosecondsToATenthOfASecond, SimulatedLength,
                         testing::Values(10'000, 100'000, 1'000'000, 10'000'000, 100'000'000));

TEST_P(SimulatedLength, is_reported_as_recorded) {
  test::TickingClock clock;
  test::PhaseLog phases;
  test::SimulatedSubject subject(clock, phases, test::jittering(GetParam(), kJitter, 11));
  Plan plan;
  RoundSamples reported;
  test::run_ranks(1, [&](Communicator& comm) {
    reported = run_round(subject, comm, clock, Settings{}, plan, phases);
  });
  expect_reported_is_recorded(reported, subject.true_lengths_s);
  const std::vector<RoundSamples> rounds = {reported};
  const schema::TimeSummary time = summarize(rounds, plan, Settings{}, "hot");
  const double median = median_of(subject.true_lengths_s),
               p5 = quantile_of(subject.true_lengths_s, 0.05);
  EXPECT_NEAR(time.median, median, std::max(0.01 * median, 1e-6));
  EXPECT_NEAR(time.p5, p5, std::max(0.01 * p5, 1e-6));
}

TEST(SimulatedRanks, with_jitter_the_slower_rank_is_still_named) {
  std::vector<std::unique_ptr<test::TickingClock>> clocks;
  std::vector<test::PhaseLog> phases(2);
  std::vector<std::unique_ptr<test::SimulatedSubject>> subjects;
  for (int64_t r = 0; r < 2; ++r) {
    clocks.push_back(std::make_unique<test::TickingClock>());
    const int64_t length_ns = r == 1 ? 1'300'000 : 1'000'000;
    subjects.push_back(std::make_unique<test::SimulatedSubject>(
        *clocks.back(), phases[static_cast<size_t>(r)],
        test::jittering(length_ns, kJitter, static_cast<unsigned>(5 + r))));
  }
  std::vector<RoundSamples> rounds(2);
  schema::RanksTime ranks;
  test::run_ranks(2, [&](Communicator& comm) {
    const size_t me = static_cast<size_t>(comm.rank());
    Plan plan;
    rounds[me] = run_round(*subjects[me], comm, *clocks[me], Settings{}, plan, phases[me]);
    const schema::RanksTime found = summarize_ranks(std::span(&rounds[me], 1), comm);
    if (me == 0) ranks = found;
  });
  const auto& fast = subjects[0]->true_lengths_s;
  const auto& slow = subjects[1]->true_lengths_s;
  ASSERT_EQ(fast.size(), slow.size());
  std::vector<double> slowest, skew;
  int64_t second_last = 0;
  for (size_t i = 0; i < fast.size(); ++i) {
    slowest.push_back(std::max(fast[i], slow[i]));
    skew.push_back(std::abs(fast[i] - slow[i]));
    second_last += slow[i] > fast[i] ? 1 : 0;
  }
  EXPECT_NEAR(median_of(rounds[0].slowest_s), median_of(slowest), 0.01 * median_of(slowest));
  EXPECT_NEAR(ranks.skew_median.value(), median_of(skew), 0.01 * median_of(skew) + 1e-6);
  EXPECT_EQ(ranks.last_rank_histogram[1], second_last);
  EXPECT_GT(ranks.last_rank_histogram[1], 4 * ranks.last_rank_histogram[0]);
  EXPECT_NEAR(ranks.median[1] / ranks.median[0], 1.3, 0.05);
}

// Busy on the real clock for a length drawn anew each time; records what that clock said.
class Spinning final : public Subject {
 public:
  Spinning(int64_t mean_ns, const test::PhaseLog& phases)
      : length_ns_(test::jittering(mean_ns, kJitter, 3)), phases_(phases) {}
  void enqueue(int64_t n) override {
    int64_t took_ns = 0;
    for (int64_t i = 0; i < n; ++i) took_ns += spin(length_ns_());
    if (phases_.sampling())
      recorded_s.push_back(static_cast<double>(took_ns) * 1e-9 / static_cast<double>(n));
  }
  void synchronize() override {}
  schema::Verify check() override {
    return {.status = "passed", .error = {}, .tolerance = {}, .detail = {}};
  }
  void reset() override {}

  std::vector<double> recorded_s;

 private:
  int64_t spin(int64_t length_ns) {
    const int64_t start = clock_.now_ns();
    int64_t now = start;
    while (now - start < length_ns) now = clock_.now_ns();
    return now - start;
  }
  SteadyClock clock_;
  std::function<int64_t()> length_ns_;
  const test::PhaseLog& phases_;
};

class RealLength : public testing::TestWithParam<int64_t> {};
INSTANTIATE_TEST_SUITE_P(HundredMicrosecondsAndTenMilliseconds, RealLength,
                         testing::Values(100'000, 10'000'000));

TEST_P(RealLength, is_reported_as_recorded_on_the_real_clock) {
  SteadyClock clock;
  test::PhaseLog phases;
  Spinning subject(GetParam(), phases);
  subject.recorded_s.reserve(4096);
  Settings settings;
  settings.stop = {.min_samples = 60, .max_samples = 1000, .max_seconds = 0.6};
  settings.warm_up_max_seconds = 0.1;
  Plan plan;
  RoundSamples reported;
  test::run_ranks(1, [&](Communicator& comm) {
    reported = run_round(subject, comm, clock, settings, plan, phases);
  });
  expect_reported_is_recorded(reported, subject.recorded_s);
}

}  // namespace
}  // namespace bench::measure
