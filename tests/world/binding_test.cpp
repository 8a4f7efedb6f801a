#include "bench/world/binding.h"

#include <gtest/gtest.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <numeric>

#include "bench/base/status.h"

namespace bench {
namespace {

std::vector<int> cpus(int n) {
  std::vector<int> all(static_cast<size_t>(n));
  std::iota(all.begin(), all.end(), 0);
  return all;
}

TEST(ShareOfCpus, PartsAreDisjointAndCoverAll) {
  for (const int n : {1, 2, 3, 7, 64}) {
    for (int ranks = 1; ranks <= n; ++ranks) {
      std::vector<int> joined;
      for (int r = 0; r < ranks; ++r) {
        const std::vector<int> share = share_of_cpus(cpus(n), r, ranks);
        EXPECT_GE(static_cast<int>(share.size()), n / ranks);
        EXPECT_LE(static_cast<int>(share.size()), (n + ranks - 1) / ranks);
        joined.insert(joined.end(), share.begin(), share.end());
      }
      EXPECT_EQ(joined, cpus(n)) << n << " CPUs, " << ranks << " ranks";
    }
  }
}

TEST(ShareOfCpus, TakesTheCpusThatAreAllowed) {
  EXPECT_EQ(share_of_cpus({4, 5, 9, 11}, 1, 2), (std::vector<int>{9, 11}));
}

TEST(ShareOfCpus, MoreRanksThanCpusTakeTurns) {
  for (int r = 0; r < 5; ++r) EXPECT_EQ(share_of_cpus({2, 3}, r, 5), (std::vector<int>{2 + r % 2}));
}

TEST(ShareOfCpus, ALauncherThatMiscountsStillGetsACpu) {
  EXPECT_EQ(share_of_cpus(cpus(4), 6, 2), (std::vector<int>{2}));
}

TEST(ThreadsOn, MasksOfTheirOwnAreUsedFully) {
  EXPECT_EQ(threads_on(4, 8, 2), 4);
  EXPECT_EQ(threads_on(1, 8, 2), 1);
}

TEST(ThreadsOn, SharedMasksAreDivided) {
  EXPECT_EQ(threads_on(8, 8, 2), 4);   // not bound at all
  EXPECT_EQ(threads_on(8, 16, 8), 2);  // eight ranks on two sockets
  EXPECT_EQ(threads_on(2, 2, 5), 1);
}

TEST(CpuList, BothWays) {
  for (const char* text : {"", "0", "0-3", "0-1,4,6-7,128"})
    EXPECT_EQ(cpu_list(parse_cpu_list(text)), text);
  EXPECT_EQ(parse_cpu_list("0-2,5"), (std::vector<int>{0, 1, 2, 5}));
  EXPECT_EQ(parse_cpu_list("x"), std::vector<int>{});
}

TEST(BindMode, OneOfThree) {
  EXPECT_EQ(parse_bind_mode("auto"), BindMode::automatic);
  EXPECT_EQ(parse_bind_mode("launcher"), BindMode::launcher);
  EXPECT_EQ(parse_bind_mode("none"), BindMode::none);
  EXPECT_THROW(parse_bind_mode("core"), UsageError);
}

// In a child process, so that the test's own mask stays: its exit status is what `check` says.
template <class Check>
bool holds_in_child(Check&& check) {
  const pid_t child = fork();
  if (child == 0) _exit(check() ? 0 : 1);
  int status = -1;
  waitpid(child, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

int cpus_of_this_process() {
  cpu_set_t set;
  return sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 0;
}

TEST(BindProcess, TheLastOfAsManyRanksAsCpusGetsOneCpu) {
  EXPECT_TRUE(holds_in_child([] {
    const int all = cpus_of_this_process();
    const Binding b =
        bind_process(BindMode::automatic,
                     {.present = true, .name = "test", .local_rank = all - 1, .local_size = all});
    return cpus_of_this_process() == 1 && b.threads == 1 && !b.oversubscribed &&
           parse_cpu_list(b.launcher_mask).size() == static_cast<size_t>(all) &&
           parse_cpu_list(b.final_mask).size() == 1;
  }));
}

TEST(BindProcess, MoreRanksThanCpusAreOversubscribed) {
  EXPECT_TRUE(holds_in_child([] {
    const int all = cpus_of_this_process();
    return bind_process(BindMode::automatic,
                        {.present = true, .name = "test", .local_rank = 0, .local_size = all + 1})
        .oversubscribed;
  }));
}

TEST(BindProcess, StaysNearTheGpu) {
  EXPECT_TRUE(holds_in_child([] {
    const std::vector<int> all = parse_cpu_list(bind_process(BindMode::launcher, {}).final_mask);
    const Binding b = bind_process(BindMode::automatic, {}, {{all.back()}});
    return parse_cpu_list(b.final_mask) == std::vector<int>{all.back()} && b.threads == 1;
  }));
}

// A rank that its launcher bound to one CPU finds the launcher's own mask at its parent.
TEST(BindProcess, WidensWhatTheLauncherNarrowed) {
  const int all = cpus_of_this_process();
  const auto child_is_left_with = [](BindMode mode, bool user_bound) {
    const std::vector<int> one = {
        parse_cpu_list(bind_process(BindMode::launcher, {}).final_mask)[0]};
    cpu_set_t narrow;
    CPU_ZERO(&narrow);
    CPU_SET(static_cast<size_t>(one[0]), &narrow);
    sched_setaffinity(0, sizeof narrow, &narrow);
    bind_process(mode, {.present = true, .name = "test", .user_bound = user_bound});
    return cpus_of_this_process();
  };
  EXPECT_TRUE(
      holds_in_child([&] { return child_is_left_with(BindMode::automatic, false) == all; }));
  EXPECT_TRUE(holds_in_child([&] { return child_is_left_with(BindMode::none, false) == all; }));
  EXPECT_TRUE(holds_in_child([&] { return child_is_left_with(BindMode::automatic, true) == 1; }));
  EXPECT_TRUE(holds_in_child([&] { return child_is_left_with(BindMode::launcher, false) == 1; }));
}

}  // namespace
}  // namespace bench
