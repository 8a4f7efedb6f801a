// The checks of checks.h on one rank alone, on threads that play ranks, and through the counter.
#include <gtest/gtest.h>

#include "parallel/comm/counting.h"
#include "parallel/comm/self/self_communicator.h"
#include "parallel/comm/threads/threads_communicator.h"
#include "tests/comm/checks.h"

namespace bench {
namespace {

using comm_checks::all_checks;
using comm_checks::Check;

class EveryCheck : public testing::TestWithParam<Check> {};

INSTANTIATE_TEST_SUITE_P(Communicators, EveryCheck,
                         testing::ValuesIn(all_checks().begin(), all_checks().end()),
                         [](const auto& check) { return std::string(check.param.name); });

TEST_P(EveryCheck, OnOneRankAlone) {
  SelfCommunicator comm;
  GetParam().run(comm);
}

TEST_P(EveryCheck, OnThreads) {
  for (const int ranks : {1, 2, 3, 4, 8}) {
    SCOPED_TRACE(ranks);
    EXPECT_NO_THROW(run_ranks(ranks, GetParam().run));
  }
}

TEST_P(EveryCheck, ThroughTheCounter) {
  EXPECT_NO_THROW(run_ranks(3, [](Communicator& inner) {
    SteadyClock clock;
    CollectiveCounts counts;
    CountingCommunicator comm(inner, counts, clock);
    GetParam().run(comm);
  }));
}

TEST(SelfCommunicator, HasNobodyToTalkTo) {
  SelfCommunicator comm;
  int32_t value = 0;
  EXPECT_THROW(comm.send(Stream{}, &value, 1, DType::i32, 0, 0), std::invalid_argument);
  EXPECT_THROW(comm.recv(Stream{}, &value, 1, DType::i32, 0, 0), std::invalid_argument);
  EXPECT_THROW(comm.broadcast(Stream{}, &value, 1, DType::i32, 1), std::invalid_argument);
}

}  // namespace
}  // namespace bench
