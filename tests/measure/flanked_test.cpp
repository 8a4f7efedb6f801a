#include "bench/measure/flanked.h"

#include <gtest/gtest.h>

#include "bench/measure/summary.h"
#include "tests/measure/ranks.h"
#include "tests/measure/simulated.h"

namespace bench::measure {
namespace {

using test::PhaseLog;
using test::run_ranks;
using test::SimulatedSubject;
using test::TickingClock;

// A machine whose memory runs at full or at half speed, turn about; the same for both subjects.
// Reads of the clock cost nothing, so that times are exact.
struct FlippingMachine {
  explicit FlippingMachine(int64_t flip_ns) : flip(flip_ns) {}
  // How long work takes that full speed does in `ns`, begun now.
  int64_t takes(int64_t ns) {
    const bool slow = flip > 0 && (now() / flip) % 2 == 1;
    return slow ? 2 * ns : ns;
  }
  int64_t now() { return clock.now_ns(); }

  int64_t flip;
  TickingClock clock{0};
  PhaseLog phases;
  SimulatedSubject op{clock, phases, [this] { return takes(op_ns); }};
  SimulatedSubject flank{clock, phases, [this] { return takes(flank_ns); }};
  int64_t op_ns = 2'000'000, flank_ns = 1'000'000;
  Plan plan;
  std::vector<RoundSamples> rounds;

  Settings settings() {
    Settings s;
    s.flank = &flank;
    s.min_block_seconds = 1e-6;
    s.before_sample = [this] { clock.advance_ns(3'000'000); };
    return s;
  }
  void round(Communicator& comm, const Settings& s) {
    rounds.push_back(run_round(op, comm, clock, s, plan, phases));
  }
};

constexpr double kBytes = 8e6, kFlankBytes = 5e6;
constexpr double kRatio = kBytes / 2e-3 / (kFlankBytes / 1e-3);

schema::Flanked summary_of(const FlippingMachine& m) {
  return summarize_flanked(m.rounds, "stream", kBytes, kFlankBytes).value();
}

TEST(Flanked, ratio_is_exact_while_the_machine_flips_and_groups_across_a_flip_are_dropped) {
  FlippingMachine m(97'000'000);
  Settings s = m.settings();
  s.stop.fixed_samples = 100;
  run_ranks(1, [&](Communicator& comm) {
    for (int i = 0; i < 3; ++i) m.round(comm, s);
  });
  const schema::Flanked f = summary_of(m);
  EXPECT_EQ(f.n + f.dropped, 300);
  EXPECT_GT(f.dropped, 10);
  EXPECT_GT(f.n, 150);
  // A flip and its way back can only hide inside a group when the flips come fast.
  EXPECT_NEAR(f.ratio.median, kRatio, 1e-12);
  EXPECT_NEAR(f.ratio.min, kRatio, 1e-12);
  EXPECT_NEAR(f.ratio.max, kRatio, 1e-12);
  ASSERT_EQ(f.ratio_by_round.size(), 3u);
  for (const schema::Number& by_round : f.ratio_by_round)
    EXPECT_NEAR(by_round.value(), kRatio, 1e-12);
}

TEST(Flanked, times_are_those_of_the_kept_groups) {
  FlippingMachine m(97'000'000);
  Settings s = m.settings();
  s.stop.fixed_samples = 60;
  run_ranks(1, [&](Communicator& comm) { m.round(comm, s); });
  const RoundSamples& round = m.rounds.at(0);
  EXPECT_EQ(round.stop_reason, "fixed");
  EXPECT_EQ(static_cast<int64_t>(round.groups.size()) + round.dropped_groups, 60);
  EXPECT_EQ(round.slowest_s.size(), 2 * round.groups.size());
  EXPECT_EQ(m.op.iterations, 120);  // as many as were dropped and kept, two each
  EXPECT_EQ(m.flank.iterations, 120);
  for (const double t : round.slowest_s) EXPECT_TRUE(t == 2e-3 || t == 4e-3) << t;
}

TEST(Flanked, steady_drift_inside_a_group_cancels) {
  FlippingMachine m(0);
  // Every sample is longer by the same amount than the one before.
  int64_t samples = 0;
  const auto drifting = [&](int64_t ns) { return ns + ns / 100 * (samples++ % 4); };
  SimulatedSubject op(m.clock, m.phases, [&] { return drifting(1'000'000); });
  SimulatedSubject flank(m.clock, m.phases, [&] { return drifting(1'000'000); });
  Settings s = m.settings();
  s.flank = &flank;
  s.stop.fixed_samples = 10;
  run_ranks(1, [&](Communicator& comm) {
    m.rounds.push_back(run_round(op, comm, m.clock, s, m.plan, m.phases));
  });
  const schema::Flanked f = summarize_flanked(m.rounds, "stream", 1, 1).value();
  EXPECT_NEAR(f.ratio.min, 1, 1e-12);
  EXPECT_NEAR(f.ratio.max, 1, 1e-12);
}

TEST(Flanked, stops_when_the_ratio_is_precise_whatever_the_times_do) {
  FlippingMachine m(211'000'000);
  run_ranks(1, [&](Communicator& comm) { m.round(comm, m.settings()); });
  EXPECT_EQ(m.rounds.at(0).stop_reason, "converged");
  EXPECT_GE(m.rounds.at(0).groups.size(), 30u);
  EXPECT_EQ(m.plan.block, 1);
}

TEST(Flanked, a_round_that_keeps_nothing_ends_and_says_so) {
  FlippingMachine m(0);
  int64_t calls = 0;
  SimulatedSubject flank(m.clock, m.phases,
                         [&] { return ++calls % 2 == 0 ? 2'000'000 : 1'000'000; });
  Settings s = m.settings();
  s.flank = &flank;
  s.stop.max_seconds = 0.5;
  run_ranks(1, [&](Communicator& comm) { m.round(comm, s); });
  s.stop.fixed_samples = 5;
  run_ranks(1, [&](Communicator& comm) { m.round(comm, s); });
  EXPECT_EQ(m.rounds[0].stop_reason, "max_time");
  EXPECT_GT(m.rounds[0].dropped_groups, 10);
  EXPECT_EQ(m.rounds[1].stop_reason, "fixed");
  EXPECT_EQ(m.rounds[1].dropped_groups, 5);
  EXPECT_TRUE(m.rounds[0].slowest_s.empty() && m.rounds[1].slowest_s.empty());
  EXPECT_FALSE(summarize_flanked(m.rounds, "stream", 1, 1).has_value());
}

TEST(Flanked, twenty_percent_is_still_the_same_speed) {
  const auto kept_with = [](int64_t second_ns) {
    Block block{.samples = 4,
                .times_s = {1e-3, 2e-3, 2e-3, static_cast<double>(second_ns) * 1e-9},
                .elapsed_s = 0};
    RoundSamples round;
    return take_groups(block, 0, round);
  };
  EXPECT_EQ(kept_with(1'199'999), 1);
  EXPECT_EQ(kept_with(1'200'100), 0);
  EXPECT_EQ(kept_with(833'400), 1);
  EXPECT_EQ(kept_with(833'000), 0);
}

// One rank's memory flips; what all keep and drop is decided from the slowest rank's times.
TEST(Flanked, ranks_keep_the_same_groups) {
  for (const int ranks : {2, 3, 4}) {
    std::vector<std::unique_ptr<FlippingMachine>> machines;
    for (int r = 0; r < ranks; ++r)
      machines.push_back(std::make_unique<FlippingMachine>(r + 1 == ranks ? 97'000'000 : 0));
    const auto thrown = run_ranks(ranks, [&](Communicator& comm) {
      FlippingMachine& m = *machines[static_cast<size_t>(comm.rank())];
      Settings s = m.settings();
      s.stop.fixed_samples = 50;
      m.round(comm, s);
    });
    for (const std::string& words : thrown) EXPECT_EQ(words, "");
    const RoundSamples& first = machines[0]->rounds.at(0);
    EXPECT_GT(first.dropped_groups, 0);
    for (const auto& m : machines) {
      const RoundSamples& round = m->rounds.at(0);
      EXPECT_EQ(round.dropped_groups, first.dropped_groups);
      EXPECT_EQ(round.slowest_s, first.slowest_s);
      EXPECT_EQ(round.own_s.size(), first.slowest_s.size());
    }
    EXPECT_NEAR(summary_of(*machines[0]).ratio.median, kRatio, 1e-12);
  }
}

TEST(Flanked, an_exception_of_the_flank_is_thrown_on_all) {
  std::vector<std::unique_ptr<FlippingMachine>> machines;
  for (int r = 0; r < 2; ++r) machines.push_back(std::make_unique<FlippingMachine>(0));
  machines[1]->flank.throw_at = 7;
  const auto thrown = run_ranks(2, [&](Communicator& comm) {
    FlippingMachine& m = *machines[static_cast<size_t>(comm.rank())];
    m.round(comm, m.settings());
  });
  for (const std::string& words : thrown) EXPECT_EQ(words, "rank 1: the kernel burnt");
}

TEST(Flanked, a_wrong_case_keeps_no_group) {
  FlippingMachine m(0);
  m.op.verify = {.status = "wrong", .error = 3.0, .tolerance = 1.0, .detail = "element 5"};
  Settings s = m.settings();
  s.stop.fixed_samples = 5;
  run_ranks(1, [&](Communicator& comm) { m.round(comm, s); });
  EXPECT_TRUE(m.rounds.at(0).groups.empty());
  EXPECT_TRUE(m.rounds.at(0).slowest_s.empty());
  EXPECT_EQ(m.rounds.at(0).verify.status, "wrong");
}

}  // namespace
}  // namespace bench::measure
