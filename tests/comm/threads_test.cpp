// What threads that play ranks do when one of them fails, and in which order they add.
#include <gtest/gtest.h>

#include <atomic>
#include <functional>

#include "parallel/comm/threads/threads_communicator.h"

namespace bench {
namespace {

// Rank 1 throws; the others wait for it in `wait`. What run_ranks throws, and how many others
// threw.
struct Outcome {
  std::string thrown;
  int others_thrown;
};

Outcome fail_while_others(int ranks, const std::function<void(Communicator&)>& wait) {
  std::atomic<int> others{0};
  try {
    run_ranks(ranks, [&](Communicator& comm) {
      if (comm.rank() == 1) throw std::runtime_error("rank 1 is out");
      try {
        wait(comm);
      } catch (const std::exception&) {
        ++others;
        throw;
      }
    });
  } catch (const std::exception& e) {
    return {e.what(), others};
  }
  return {"", others};
}

TEST(RunRanks, AFailingRankEndsTheOthersInACollective) {
  const Outcome o = fail_while_others(4, [](Communicator& comm) { comm.barrier(Stream{}); });
  EXPECT_EQ(o.thrown, "rank 1 is out");
  EXPECT_EQ(o.others_thrown, 3);
}

TEST(RunRanks, AFailingRankEndsTheOthersInASplit) {
  const Outcome o = fail_while_others(3, [](Communicator& comm) { comm.split(0, 0); });
  EXPECT_EQ(o.thrown, "rank 1 is out");
  EXPECT_EQ(o.others_thrown, 2);
}

TEST(RunRanks, AFailingRankEndsThoseThatAwaitAMessage) {
  const Outcome o = fail_while_others(2, [](Communicator& comm) {
    int32_t value = 0;
    comm.recv(Stream{}, &value, 1, DType::i32, 1, 0);
  });
  EXPECT_EQ(o.thrown, "rank 1 is out");
  EXPECT_EQ(o.others_thrown, 1);
}

TEST(RunRanks, AFailingRankEndsTheOthersInPartsOfTheWorld) {
  std::atomic<int> others{0};
  const auto ranks = [&](Communicator& comm) {
    const auto part = comm.split(comm.rank() % 2, 0);
    if (comm.rank() == 3) throw std::runtime_error("rank 3 is out");
    if (comm.rank() != 1) return;
    try {
      part->barrier(Stream{});  // with rank 3
    } catch (const std::exception&) {
      ++others;
      throw;
    }
  };
  EXPECT_THROW(run_ranks(4, ranks), std::runtime_error);
  EXPECT_EQ(others, 1);
}

TEST(RunRanks, EveryRankRunsOnce) {
  std::atomic<int> seen{0};
  run_ranks(5, [&](Communicator& comm) {
    EXPECT_EQ(comm.size(), 5);
    seen += 1 << comm.rank();
  });
  EXPECT_EQ(seen, 0b11111);
}

// (1 + 2^-24) + 2^-24 is 1 in f32, 2^-24 + 2^-24 + 1 is not: only one order gives this sum.
TEST(ThreadsCommunicator, AddsInRankOrder) {
  constexpr float kTiny = 1.0F / (1 << 24);
  run_ranks(3, [](Communicator& comm) {
    float one_first = comm.rank() == 0 ? 1.0F : kTiny;
    comm.all_reduce(&one_first, 1, ReduceOp::sum);
    EXPECT_EQ(one_first, 1.0F);
    float one_last = comm.rank() == 2 ? 1.0F : kTiny;
    comm.all_reduce(&one_last, 1, ReduceOp::sum);
    EXPECT_EQ(one_last, 1.0F + 2 * kTiny);
  });
}

TEST(ThreadsCommunicator, RefusesRanksThatAreNotThere) {
  run_ranks(2, [](Communicator& comm) {
    int32_t value = 0;
    EXPECT_THROW(comm.send(Stream{}, &value, 1, DType::i32, 2, 0), std::invalid_argument);
    EXPECT_THROW(comm.recv(Stream{}, &value, 1, DType::i32, -1, 0), std::invalid_argument);
    EXPECT_THROW(comm.broadcast(Stream{}, &value, 1, DType::i32, 2), std::invalid_argument);
  });
}

TEST(ThreadsCommunicator, RefusesAMessageOfAnotherLength) {
  EXPECT_THROW(run_ranks(2,
                         [](Communicator& comm) {
                           int32_t values[2] = {};
                           if (comm.rank() == 0) comm.send(Stream{}, values, 2, DType::i32, 1, 0);
                           if (comm.rank() == 1) comm.recv(Stream{}, values, 1, DType::i32, 0, 0);
                         }),
               std::runtime_error);
}

}  // namespace
}  // namespace bench
