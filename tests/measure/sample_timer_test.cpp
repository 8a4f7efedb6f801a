#include "bench/measure/sample_timer.h"

#include <gtest/gtest.h>

#include <functional>

#include "bench/measure/protocol.h"
#include "bench/measure/summary.h"
#include "parallel/comm/self/self_communicator.h"
#include "tests/device/fake_gpu.h"
#include "tests/measure/ranks.h"
#include "tests/measure/simulated.h"

namespace bench::measure {
namespace {

using test::constant;
using test::FakeGpu;
using test::PhaseLog;
using test::SimulatedSubject;
using test::TickingClock;

// Device times are told by the test, not by a clock.
class ToldGpu final : public FakeGpu {
 public:
  StreamTime time(Stream s, const StreamStart& start,
                  const std::function<void()>& enqueue) override {
    StreamTime time = FakeGpu::time(s, start, enqueue);
    time.device_s = device_s;
    time.enqueue_s = enqueue_s;
    return time;
  }
  double device_s = 1e-3, enqueue_s = 1e-4;
};

class OnAStream final : public Subject {
 public:
  void enqueue(int64_t n) override { iterations += n; }
  void synchronize() override { ++synchronized; }
  Stream stream() const override { return Stream{reinterpret_cast<void*>(uintptr_t{7})}; }
  schema::Verify check() override { return {}; }
  void reset() override {}
  int64_t iterations = 0;
  int synchronized = 0;
};

TEST(HostTimer, counts_the_waiting) {
  FakeClock clock;
  PhaseLog phases;
  TickingClock ticking(0);
  SimulatedSubject subject(ticking, phases, constant(1'000'000));
  HostTimer timer(ticking);
  EXPECT_DOUBLE_EQ(timer.time(subject, 3).seconds, 3e-3);
  EXPECT_EQ(timer.clock(), "host");
}

TEST(DeviceTimer, takes_the_time_of_the_subjects_stream) {
  ToldGpu gpu;
  OnAStream subject;
  DeviceTimer timer(gpu, {.gated = true});
  const SampleTime time = timer.time(subject, 5);
  EXPECT_DOUBLE_EQ(time.seconds, 1e-3);
  EXPECT_FALSE(time.launch_bound);
  EXPECT_EQ(gpu.last_stream.native, subject.stream().native);
  EXPECT_EQ(subject.iterations, 5);
  EXPECT_EQ(subject.synchronized, 1);
  EXPECT_EQ(timer.clock(), "device");
}

TEST(DeviceTimer, says_where_the_host_was_slower) {
  ToldGpu gpu;
  gpu.enqueue_s = 2e-3;
  OnAStream subject;
  EXPECT_TRUE(DeviceTimer(gpu, {.gated = true}).time(subject, 1).launch_bound);
}

TEST(DeviceTimer, leaves_the_gate_open_where_it_never_holds) {
  ToldGpu gpu;
  OnAStream subject;
  DeviceTimer timer(gpu, {.gated = true});
  for (int i = 0; i < 10; ++i) timer.time(subject, 1);
  EXPECT_EQ(gpu.gated_calls, 10);
  gpu.gates_hold = false;
  for (int i = 0; i < 10; ++i) timer.time(subject, 1);
  EXPECT_EQ(gpu.gated_calls, 13);
  EXPECT_FALSE(timer.gated());
}

TEST(DeviceTimer, never_gates_what_is_not_to_be) {
  ToldGpu gpu;
  OnAStream subject;
  DeviceTimer timer(gpu, {});
  timer.time(subject, 1);
  EXPECT_EQ(gpu.gated_calls, 0);
}

TEST(DeviceTimer, aligns_ranks_ahead_of_the_time) {
  ToldGpu gpu;
  OnAStream subject;
  std::vector<int64_t> iterations_before;
  DeviceTimer timer(gpu, {.align = [&](Stream s) {
                      EXPECT_EQ(s.native, subject.stream().native);
                      iterations_before.push_back(subject.iterations);
                    }});
  timer.time(subject, 3);
  timer.time(subject, 3);
  EXPECT_EQ(iterations_before, (std::vector<int64_t>{0, 3}));
  EXPECT_TRUE(timer.aligns());
  Settings settings;
  settings.timer = &timer;
  EXPECT_EQ(summarize({}, Plan{}, settings, "hot").sync, "device");
}

// The loop on a device's clock: samples are its times, the first call is the host's.
TEST(DeviceTimer, gives_a_round_its_times) {
  constexpr int kRanks = 3;
  std::vector<RoundSamples> rounds(kRanks);
  std::vector<Plan> plans(kRanks);
  std::vector<std::string> clocks(kRanks);
  const auto thrown = test::run_ranks(kRanks, [&](Communicator& comm) {
    const auto rank = static_cast<size_t>(comm.rank());
    TickingClock clock;
    PhaseLog phases;
    SimulatedSubject subject(clock, phases, constant(10'000'000));
    ToldGpu gpu;
    gpu.device_s = 1e-3 * (1 + comm.rank());
    gpu.enqueue_s = comm.rank() == 1 ? 1 : 0;
    DeviceTimer timer(gpu, {.gated = true});
    Settings settings;
    settings.timer = &timer;
    settings.min_block_seconds = 50e-6;
    rounds[rank] = run_round(subject, comm, clock, settings, plans[rank], phases);
    clocks[rank] = summarize(std::span(&rounds[rank], 1), plans[rank], settings, "hot").clock;
  });
  for (const std::string& words : thrown) EXPECT_EQ(words, "");
  for (size_t rank = 0; rank < kRanks; ++rank) {
    EXPECT_NEAR(plans[rank].first_call_s, 10e-3, 1e-6);
    EXPECT_DOUBLE_EQ(plans[rank].estimate_s, 3e-3);
    EXPECT_EQ(plans[rank].block, 1);
    ASSERT_GE(rounds[rank].slowest_s.size(), 30U);
    for (const double s : rounds[rank].slowest_s) EXPECT_DOUBLE_EQ(s, 3e-3);
    EXPECT_EQ(rounds[rank].launch_bound, static_cast<int64_t>(rounds[rank].slowest_s.size()));
    EXPECT_EQ(clocks[rank], "device");
  }
}

TEST(DeviceTimer, makes_blocks_as_long_as_events_can_tell) {
  TickingClock clock;
  PhaseLog phases;
  SimulatedSubject subject(clock, phases, constant(1000));
  ToldGpu gpu;
  gpu.device_s = 2e-6;
  DeviceTimer timer(gpu, {.gated = true});
  Settings settings;
  settings.timer = &timer;
  settings.min_block_seconds = 50e-6;
  settings.stop.max_samples = 40;
  SelfCommunicator comm;
  Plan plan;
  run_round(subject, comm, clock, settings, plan, phases);
  EXPECT_GE(plan.block, 25);
}

}  // namespace
}  // namespace bench::measure
