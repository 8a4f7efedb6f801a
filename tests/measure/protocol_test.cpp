#include "bench/measure/protocol.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <mutex>
#include <numeric>

#include "bench/base/status.h"
#include "bench/measure/guard.h"
#include "bench/measure/summary.h"
#include "tests/measure/ranks.h"
#include "tests/measure/simulated.h"

namespace bench::measure {
namespace {

using test::constant;
using test::jittering;
using test::PhaseLog;
using test::run_ranks;
using test::SimulatedSubject;
using test::TickingClock;

// One rank's own things and what came out.
struct RankRun {
  explicit RankRun(std::function<int64_t()> length_ns)
      : subject(clock, phases, std::move(length_ns)) {}
  void round(Communicator& comm, const Settings& settings) {
    rounds.push_back(run_round(subject, comm, clock, settings, plan, phases));
  }
  TickingClock clock;
  PhaseLog phases;
  SimulatedSubject subject;
  Plan plan;
  std::vector<RoundSamples> rounds;
};

std::vector<std::unique_ptr<RankRun>> make_ranks(
    int ranks, const std::function<std::function<int64_t()>(int)>& length) {
  std::vector<std::unique_ptr<RankRun>> made;
  for (int r = 0; r < ranks; ++r) made.push_back(std::make_unique<RankRun>(length(r)));
  return made;
}

RankRun& of(const std::vector<std::unique_ptr<RankRun>>& runs, const Communicator& comm) {
  return *runs[static_cast<size_t>(comm.rank())];
}

void expect_nothing_thrown(const std::vector<std::string>& thrown) {
  for (const std::string& words : thrown) EXPECT_EQ(words, "");
}

class AtRanks : public testing::TestWithParam<int> {};
INSTANTIATE_TEST_SUITE_P(Protocol, AtRanks, testing::Values(1, 2, 3, 4));

TEST_P(AtRanks, run_the_same_counts_and_know_the_same_samples) {
  const auto runs = make_ranks(GetParam(), [](int r) {
    return jittering(10'000 + 1'000 * r, 0.2, 7u + static_cast<unsigned>(r));
  });
  expect_nothing_thrown(run_ranks(GetParam(), [&](Communicator& comm) {
    for (int round = 0; round < 3; ++round) of(runs, comm).round(comm, Settings{});
  }));
  const RankRun& first = *runs[0];
  EXPECT_GT(first.plan.block, 1);  // 1000 reads of 25 ns are 25 us: more than one call
  for (const auto& run : runs) {
    EXPECT_EQ(run->subject.calls, first.subject.calls);
    for (size_t i = 0; i < 3; ++i) {
      EXPECT_EQ(run->rounds[i].slowest_s, first.rounds[i].slowest_s);
      EXPECT_EQ(run->rounds[i].fastest_s, first.rounds[i].fastest_s);
      EXPECT_EQ(run->rounds[i].last_rank, first.rounds[i].last_rank);
      EXPECT_EQ(run->rounds[i].stop_reason, "converged");
      EXPECT_EQ(run->rounds[i].verify.status, "passed");
      EXPECT_GE(run->rounds[i].slowest_s.size(), 30u);
    }
  }
}

TEST_P(AtRanks, wrong_on_the_last_rank_leaves_no_samples_anywhere) {
  const auto runs = make_ranks(GetParam(), [](int) { return constant(1000); });
  SimulatedSubject& last = runs.back()->subject;
  last.verify = {
      .status = "wrong", .error = 3.0, .tolerance = 1.0, .detail = "element 5 is 8, not 5"};
  expect_nothing_thrown(
      run_ranks(GetParam(), [&](Communicator& comm) { of(runs, comm).round(comm, Settings{}); }));
  for (const auto& run : runs) {
    const RoundSamples& round = run->rounds.at(0);
    EXPECT_TRUE(round.slowest_s.empty() && round.fastest_s.empty() && round.own_s.empty() &&
                round.last_rank.empty());
    EXPECT_EQ(round.verify.status, "wrong");
    EXPECT_EQ(round.verify.error, 3.0);
    EXPECT_NE(round.verify.detail.find("element 5 is 8, not 5"), std::string::npos);
    EXPECT_EQ(round.stop_reason, "");
  }
  EXPECT_EQ(runs[0]->subject.iterations, 1);  // found before anything was timed
}

TEST_P(AtRanks, an_exception_of_one_rank_is_thrown_on_all) {
  const int thrower = GetParam() - 1;
  const auto runs = make_ranks(GetParam(), [](int) { return constant(1'000'000); });
  runs[static_cast<size_t>(thrower)]->subject.throw_at = 40;  // amid a block of samples
  const auto thrown =
      run_ranks(GetParam(), [&](Communicator& comm) { of(runs, comm).round(comm, Settings{}); });
  const std::string expected = GetParam() == 1
                                   ? "the kernel burnt"
                                   : "rank " + std::to_string(thrower) + ": the kernel burnt";
  for (const std::string& words : thrown) EXPECT_EQ(words, expected);
  for (const auto& run : runs) EXPECT_FALSE(run->phases.inside());
}

TEST_P(AtRanks, fixed_samples_are_exactly_these_and_nothing_else_runs) {
  const auto runs = make_ranks(GetParam(), [](int r) { return constant(1'000'000 * (r + 1)); });
  Settings settings;
  settings.stop.fixed_samples = 7;
  settings.stop.max_seconds = 0.001;
  expect_nothing_thrown(run_ranks(GetParam(), [&](Communicator& comm) {
    of(runs, comm).round(comm, settings);
    of(runs, comm).round(comm, settings);
  }));
  for (const auto& run : runs) {
    EXPECT_EQ(run->subject.calls, std::vector<int64_t>(14, 1));
    EXPECT_EQ(run->subject.resets, 2);
    EXPECT_EQ(run->rounds[1].slowest_s.size(), 7u);
    EXPECT_EQ(run->rounds[1].stop_reason, "fixed");
    EXPECT_DOUBLE_EQ(run->plan.first_call_s, run->rounds[0].slowest_s.front());
    EXPECT_NEAR(run->plan.first_call_s, 1e-3 * GetParam(), 1e-6);
    EXPECT_TRUE(run->plan.warm_up_s.empty());
  }
}

TEST(Protocol, the_first_failing_rank_speaks_when_several_fail) {
  const auto runs = make_ranks(4, [](int) { return constant(1000); });
  runs[1]->subject.throw_at = runs[3]->subject.throw_at = 1;
  for (const std::string& words :
       run_ranks(4, [&](Communicator& comm) { of(runs, comm).round(comm, Settings{}); })) {
    EXPECT_EQ(words, "rank 1: the kernel burnt");
  }
}

TEST(Guard, keeps_the_type_of_the_error_on_every_rank) {
  std::mutex mutex;
  int unsupported = 0, environment = 0;
  run_ranks(3, [&](Communicator& comm) {
    try {
      run_on_all(comm, [&] {
        if (comm.rank() == 2) throw Unsupported("needs 8 ranks");
      });
    } catch (const Unsupported& e) {
      const std::lock_guard lock(mutex);
      unsupported += std::string(e.what()) == "rank 2: needs 8 ranks" ? 1 : 0;
    }
    try {
      run_on_all(comm, [&] {
        if (comm.rank() == 0) throw EnvironmentError("no memory left");
      });
    } catch (const AgreedError& e) {
      const std::lock_guard lock(mutex);
      environment += e.code() == ExitCode::kEnvironment ? 1 : 0;
    }
  });
  EXPECT_EQ(unsupported, 3);
  EXPECT_EQ(environment, 3);
}

TEST(Protocol, a_slower_rank_is_named) {
  const auto runs = make_ranks(2, [](int r) { return constant(r == 1 ? 1'300'000 : 1'000'000); });
  std::vector<schema::RanksTime> ranks(2);
  expect_nothing_thrown(run_ranks(2, [&](Communicator& comm) {
    of(runs, comm).round(comm, Settings{});
    ranks[static_cast<size_t>(comm.rank())] = summarize_ranks(of(runs, comm).rounds, comm);
  }));
  const schema::TimeSummary time = summarize(runs[0]->rounds, runs[0]->plan, Settings{}, "hot");
  EXPECT_NEAR(time.median, 1.3e-3, 1e-6);
  for (const schema::RanksTime& r : ranks) {
    EXPECT_NEAR(r.skew_median.value(), 0.3e-3, 1e-6);
    EXPECT_NEAR(r.min_over_ranks.value(), 1e-3, 1e-6);
    EXPECT_NEAR(r.median[0], 1.0e-3, 1e-6);
    EXPECT_NEAR(r.median[1], 1.3e-3, 1e-6);
    EXPECT_EQ(r.last_rank_histogram, (std::vector<int64_t>{0, time.n}));
  }
}

TEST(Protocol, warms_up_until_blocks_agree_and_keeps_the_series) {
  // Starts at twice its length and approaches it.
  double excess = 1;
  RankRun run([&] { return static_cast<int64_t>(1e6 * (1 + (excess *= 0.97))); });
  run_ranks(1, [&](Communicator& comm) { run.round(comm, Settings{}); });
  const std::vector<double>& series = run.plan.warm_up_s;
  ASSERT_GE(series.size(), 4u);
  EXPECT_GT(series[0], series[2] * 1.02);
  EXPECT_LE(series[series.size() - 3], series.back() * 1.02);
  EXPECT_GT(run.plan.first_call_s, series[0]);
}

TEST(Protocol, warm_up_ends_at_its_cap) {
  int64_t length_ns = 1'000'000;
  RankRun run([&] { return length_ns += 50'000; });
  Settings settings;
  settings.warm_up_cap = 4;
  settings.stop.max_seconds = 0.1;
  run_ranks(1, [&](Communicator& comm) { run.round(comm, settings); });
  EXPECT_EQ(run.plan.warm_up_s.size(), 4u);
  EXPECT_EQ(run.rounds[0].stop_reason, "max_time");
}

TEST(Protocol, a_sample_lasts_as_long_as_asked) {
  RankRun run(constant(3'000));
  Settings settings;
  settings.min_block_seconds = 100e-6;
  run_ranks(1, [&](Communicator& comm) { run.round(comm, settings); });
  EXPECT_EQ(run.plan.block, 34);
  EXPECT_NEAR(run.rounds[0].slowest_s.front(), 3e-6, 1e-8);
}

TEST(Protocol, what_comes_before_a_sample_is_outside_its_time_and_ends_blocks) {
  RankRun run(constant(3'000));
  int64_t times = 0;
  Settings settings;
  settings.before_sample = [&] {
    run.clock.advance_ns(5'000'000);
    ++times;
  };
  settings.stop.max_samples = 64;
  settings.stop.min_samples = 64;
  run_ranks(1, [&](Communicator& comm) { run.round(comm, settings); });
  EXPECT_EQ(run.plan.block, 1);
  EXPECT_NEAR(run.rounds[0].slowest_s.back(), 3e-6, 1e-7);
  EXPECT_EQ(times, run.subject.iterations);
}

TEST(Protocol, a_training_case_runs_its_trajectory_once_and_then_starts_anew) {
  RankRun run(constant(10'000'000));
  std::vector<int64_t> steps_seen;
  Settings settings;
  settings.training = true;
  settings.trajectory_steps = 10;
  settings.after_trajectory = [&] { steps_seen.push_back(run.subject.since_reset); };
  settings.stop.min_samples = 10;
  run_ranks(1, [&](Communicator& comm) {
    run.round(comm, settings);
    run.round(comm, settings);
  });
  EXPECT_EQ(steps_seen, std::vector<int64_t>{10});
  EXPECT_EQ(run.subject.calls[0], 1);  // the timed first call is the first step
  EXPECT_EQ(run.subject.calls[1], 9);
  EXPECT_EQ(run.subject.resets, 3);  // before the trajectory, after it, before the second round
  EXPECT_EQ(run.subject.checks, 3);
}

TEST(Protocol, the_fixed_samples_of_a_training_case_are_its_trajectory) {
  RankRun run(constant(10'000'000));
  std::vector<int64_t> steps_seen;
  Settings settings;
  settings.training = true;
  settings.trajectory_steps = 10;
  settings.after_trajectory = [&] { steps_seen.push_back(run.subject.since_reset); };
  settings.stop.fixed_samples = 4;
  run_ranks(1, [&](Communicator& comm) {
    run.round(comm, settings);
    run.round(comm, settings);
  });
  EXPECT_EQ(steps_seen, std::vector<int64_t>{4});
  EXPECT_EQ(run.subject.iterations, 8);
}

TEST(Protocol, phases_follow_each_other_and_end) {
  RankRun run(constant(100'000));
  run_ranks(1, [&](Communicator& comm) { run.round(comm, Settings{}); });
  std::vector<Phase> firsts;
  for (const Phase p : run.phases.order()) {
    if (std::find(firsts.begin(), firsts.end(), p) == firsts.end()) firsts.push_back(p);
  }
  EXPECT_EQ(firsts, (std::vector{Phase::first_call, Phase::gather, Phase::verify, Phase::warm_up,
                                 Phase::samples}));
  EXPECT_EQ(run.phases.order().back(), Phase::verify);
  EXPECT_FALSE(run.phases.inside());
  EXPECT_EQ(run.phases.told().back(), static_cast<int64_t>(run.rounds[0].slowest_s.size()));
}

TEST(Summary, percentiles_need_enough_samples) {
  RoundSamples round;
  for (int i = 1; i <= 200; ++i) round.slowest_s.push_back(i);
  round.stop_reason = "converged";
  const std::vector<RoundSamples> one = {round}, five(5, round);
  const schema::TimeSummary few = summarize(one, Plan{}, Settings{}, "hot");
  EXPECT_NEAR(few.p95.value(), 190.05, 1e-9);
  EXPECT_FALSE(few.p99.has_value());
  EXPECT_EQ(few.repetitions, 1);
  EXPECT_TRUE(summarize(five, Plan{}, Settings{}, "hot").p99.has_value());
}

TEST(Summary, headline_is_the_median_of_round_medians_and_the_least_certain_reason) {
  const auto round_of = [](double value, size_t n, const char* reason) {
    RoundSamples round;
    round.slowest_s.assign(n, value);
    round.stop_reason = reason;
    return round;
  };
  const std::vector<RoundSamples> rounds = {round_of(1, 10, "converged"),
                                            round_of(2, 10, "max_time"),
                                            round_of(9, 1000, "converged"), RoundSamples{}};
  Plan plan;
  plan.block = 3;
  const schema::TimeSummary time = summarize(rounds, plan, Settings{}, "cold");
  EXPECT_DOUBLE_EQ(time.median, 2);
  EXPECT_EQ(time.stop_reason, "max_time");
  EXPECT_EQ(time.repetitions, 3);
  EXPECT_EQ(time.n, 1020);
  EXPECT_EQ(time.block, 3);
  EXPECT_EQ(time.mode, "cold");
  EXPECT_EQ(time.sync, "barrier");
}

}  // namespace
}  // namespace bench::measure
