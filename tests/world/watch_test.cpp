// The watch between threads that play ranks, over real sockets.
#include "bench/world/watch.h"

#include <gtest/gtest.h>

#include <future>

#include "parallel/comm/threads/threads_communicator.h"
#include "tests/world/threads_world.h"

namespace bench {
namespace {

constexpr int kRanks = 3;

// A sign of life takes up to a fifth of a second to come, on a busy machine longer: so often a
// fifth of a second is given before what was found so far counts.
constexpr int kPatience = 50;

// All ranks start the case; rank `missing` does not enter its collective. Whom rank 0 names.
std::vector<Laggard> named_when_missing(int missing) {
  std::promise<std::vector<Laggard>> named;
  std::shared_future<std::vector<Laggard>> told = named.get_future().share();
  run_ranks(kRanks, [&](Communicator& comm) {
    ThreadsWorld world(comm);
    SteadyClock clock;
    Watch watch(world, "host" + std::to_string(comm.rank()));
    watch.status().set_place(1);
    watch.status().set_case("some.case");
    watch.status().set_phase("samples");
    CountingCommunicator counted(comm, watch.status().collectives(), clock);
    comm.barrier(Stream{});
    if (comm.rank() == 0) {
      watch.on_timeout([&, tries = 0](const std::vector<Laggard>& laggards) mutable {
        const bool settled = laggards.size() == 1 && laggards[0].last_range != "no case";
        if (settled || ++tries == kPatience) return named.set_value(laggards);
        watch.arm(0.2, kRanks);
      });
      watch.arm(0.2, kRanks);
    }
    if (comm.rank() == missing) told.wait();
    counted.barrier(Stream{});
    watch.disarm();
    comm.barrier(Stream{});  // nobody closes its line while others are judged
  });
  return told.get();
}

TEST(Watch, NamesTheRankThatDidNotEnter) {
  for (const int missing : {0, 1, 2}) {
    const std::vector<Laggard> late = named_when_missing(missing);
    ASSERT_EQ(late.size(), 1U) << missing;
    EXPECT_EQ(late[0].rank, missing);
    EXPECT_EQ(late[0].host, "host" + std::to_string(missing));
    EXPECT_EQ(late[0].why, "not in collective #1 barrier that others wait in");
    EXPECT_EQ(late[0].last_range, "some.case / samples");
  }
}

TEST(Watch, SaysNothingOfACaseThatEnded) {
  std::atomic<int> calls{0};
  run_ranks(2, [&](Communicator& comm) {
    ThreadsWorld world(comm);
    Watch watch(world, "host");
    watch.on_timeout([&](const std::vector<Laggard>&) { ++calls; });
    watch.arm(3600, 2);
    comm.barrier(Stream{});
    watch.disarm();
  });
  EXPECT_EQ(calls, 0);
}

TEST(Watch, OneRankAloneIsNamedItself) {
  std::promise<std::vector<Laggard>> named;
  const auto world = make_single_world();
  Watch watch(*world, "here");
  watch.status().set_case("slow.case");
  watch.on_timeout([&](const std::vector<Laggard>& laggards) { named.set_value(laggards); });
  watch.arm(0, 1);
  const std::vector<Laggard> late = named.get_future().get();
  ASSERT_EQ(late.size(), 1U);
  EXPECT_EQ(late[0].why, "still working, like all others");
  EXPECT_EQ(late[0].last_range, "slow.case");
}

TEST(WatchStatus, CountsStartAgainWithEachCase) {
  WatchStatus status;
  status.collectives().entered = 5;
  status.collectives().left = 5;
  status.set_place(4);
  status.set_case("next");
  status.collectives().entered = 7;
  status.collectives().left = 6;
  status.collectives().inside = "all_reduce";
  const Whereabouts now = status.now();
  EXPECT_EQ(now.place, 4);
  EXPECT_EQ(now.case_name, "next");
  EXPECT_EQ(now.phase, "");
  EXPECT_EQ(now.entered, 2);
  EXPECT_EQ(now.left, 1);
  EXPECT_EQ(now.inside, "all_reduce");
}

}  // namespace
}  // namespace bench
