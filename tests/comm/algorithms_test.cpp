// Every all-reduce algorithm against the exact sum, on threads that play ranks.
#include <gtest/gtest.h>

#include <algorithm>

#include "bench/base/status.h"
#include "parallel/comm/algorithms/algorithm_communicator.h"
#include "parallel/comm/reduce.h"
#include "parallel/comm/staged/staged_communicator.h"
#include "parallel/comm/threads/threads_communicator.h"
#include "tests/comm/checks.h"
#include "tests/comm/elements.h"
#include "tests/comm/remote_device.h"
#include "tests/comm/through_device.h"

namespace bench {
namespace {

using algorithms::AllReduce;
using comm_checks::Elements;

// Two ranks a host and a last host of what is left.
uint64_t host_of(int rank, int ranks_a_host) { return static_cast<uint64_t>(rank / ranks_a_host); }

std::string name_of_param(const testing::TestParamInfo<AllReduce>& info) {
  return std::string(info.param.name);
}

class EveryAlgorithm : public testing::TestWithParam<AllReduce> {};

INSTANTIATE_TEST_SUITE_P(AllReduces, EveryAlgorithm,
                         testing::ValuesIn(algorithms::all_reduces().begin(),
                                           algorithms::all_reduces().end()),
                         name_of_param);

TEST_P(EveryAlgorithm, DoesWhatACommunicatorMust) {
  for (const int ranks : {1, 3, 4}) {
    SCOPED_TRACE(ranks);
    for (const comm_checks::Check& check : comm_checks::all_checks()) {
      SCOPED_TRACE(check.name);
      EXPECT_NO_THROW(run_ranks(ranks, [&](Communicator& inner) {
        AlgorithmCommunicator comm(inner, GetParam(), 0);
        check.run(comm);
      }));
    }
  }
}

// As on a GPU: memory that only the device can read, and work that is done when it is waited for.
std::shared_ptr<algorithms::LocalWork> remote_work(comm_checks::RemoteDevice& device) {
  return std::make_shared<algorithms::DeviceWork>(
      device,
      [&device](Stream s, void* into, const void* from, int64_t count, DType dtype, ReduceOp op) {
        const size_t bytes = static_cast<size_t>(count) * size_of(dtype);
        std::vector<unsigned char> sums(bytes), terms(bytes);
        device.copy(s, sums.data(), into, bytes);
        device.copy(s, terms.data(), from, bytes);
        device.synchronize(s);
        reduce_into(sums.data(), terms.data(), count, dtype, op);
        device.copy(s, into, sums.data(), bytes);
        device.synchronize(s);
      });
}

TEST_P(EveryAlgorithm, WorksInTheMemoryOfADevice) {
  for (const int ranks : {1, 3, 4}) {
    SCOPED_TRACE(ranks);
    for (const comm_checks::Check& check : comm_checks::all_checks()) {
      SCOPED_TRACE(check.name);
      EXPECT_NO_THROW(run_ranks(ranks, [&](Communicator& host) {
        comm_checks::RemoteDevice device;
        StagedCommunicator staged(host, device);
        AlgorithmCommunicator own(staged, GetParam(), 0, remote_work(device));
        comm_checks::ThroughDevice comm(own, device, device.create_stream());
        check.run(comm);
      }));
    }
  }
}

// Differs in rank and index; sums over 13 ranks are exact in bf16.
double value_of(int rank, int64_t i) { return static_cast<double>((i * 7 + rank * 5) % 9 - 4); }

void results_are_exact(Communicator& comm, int64_t count, DType dtype, ReduceOp op) {
  const auto want = [&](int64_t i) {
    double result = value_of(0, i);
    for (int r = 1; r < comm.size(); ++r)
      result = op == ReduceOp::sum ? result + value_of(r, i) : std::max(result, value_of(r, i));
    return result;
  };
  Elements mine(dtype, count), result(dtype, count);
  for (int64_t i = 0; i < count; ++i) mine.set(i, value_of(comm.rank(), i));
  comm.all_reduce(Stream{}, mine.at(0), result.at(0), count, dtype, op);
  comm_checks::expect_elements("result", result, want);
  comm_checks::expect_elements("input", mine, [&](int64_t i) { return value_of(comm.rank(), i); });
  comm.all_reduce(Stream{}, mine.at(0), mine.at(0), count, dtype, op);
  comm_checks::expect_elements("result in place", mine, want);
}

TEST_P(EveryAlgorithm, IsExactAtAnyNumberOfRanksAndElements) {
  for (const int ranks : {1, 2, 3, 4, 5, 6, 7, 8, 13}) {
    SCOPED_TRACE(ranks);
    const int a_host = ranks % 2 == 0 ? 2 : ranks % 3 == 0 ? 3 : 1;
    EXPECT_NO_THROW(run_ranks(ranks, [&](Communicator& inner) {
      AlgorithmCommunicator comm(inner, GetParam(), host_of(inner.rank(), a_host));
      for (const DType dtype : {DType::f32, DType::bf16, DType::f64})
        for (const int64_t count : {0, 1, 2, 5, 12, 13, 14, 1000})
          for (const ReduceOp op : {ReduceOp::sum, ReduceOp::max})
            results_are_exact(comm, count, dtype, op);
      // More than one piece of what is moved in pieces.
      results_are_exact(comm, 70001, DType::f32, ReduceOp::sum);
    }));
  }
}

// Values whose sum depends on the order of additions.
TEST_P(EveryAlgorithm, GivesAllRanksTheSameBitsEveryTime) {
  constexpr int64_t kCount = 40013;
  for (const int ranks : {3, 6, 8}) {
    SCOPED_TRACE(ranks);
    std::vector<std::vector<float>> results(static_cast<size_t>(2 * ranks));
    run_ranks(ranks, [&](Communicator& inner) {
      AlgorithmCommunicator comm(inner, GetParam(), host_of(inner.rank(), ranks / 3));
      std::vector<float> mine(kCount);
      for (size_t i = 0; i < mine.size(); ++i)
        mine[i] = 1.0F / static_cast<float>(i + 3 * static_cast<size_t>(comm.rank()) + 1);
      for (int again = 0; again < 2; ++again) {
        auto& got = results[static_cast<size_t>(2 * comm.rank() + again)];
        got.resize(kCount);
        comm.all_reduce(Stream{}, mine.data(), got.data(), kCount, DType::f32, ReduceOp::sum);
      }
    });
    for (const auto& result : results) EXPECT_EQ(result, results.front());
  }
}

TEST(Algorithms, UnevenHostsHaveALeaderFormAndNoRails) {
  run_ranks(5, [](Communicator& inner) {
    AlgorithmCommunicator leader(inner, algorithms::all_reduce_named("two_level_leader"),
                                 host_of(inner.rank(), 2));
    EXPECT_EQ(leader.hosts(), (algorithms::Hosts{{0, 1}, {2, 3}, {4}}));
    results_are_exact(leader, 1000, DType::f32, ReduceOp::sum);
    EXPECT_THROW(AlgorithmCommunicator(inner, algorithms::all_reduce_named("two_level_rail"),
                                       host_of(inner.rank(), 2)),
                 Unsupported);
  });
}

TEST(Algorithms, AnUnknownOneIsAUsageErrorWithTheirNames) {
  try {
    algorithms::all_reduce_named("star");
    FAIL();
  } catch (const UsageError& e) {
    EXPECT_NE(std::string(e.what()).find("recursive_doubling"), std::string::npos);
  }
}

}  // namespace
}  // namespace bench
