// Every check on buffers that only a device can read: staged through host memory over threads that
// play ranks, and on one rank alone.
#include <gtest/gtest.h>

#include "parallel/comm/self/self_communicator.h"
#include "parallel/comm/staged/staged_communicator.h"
#include "parallel/comm/threads/threads_communicator.h"
#include "tests/comm/checks.h"
#include "tests/comm/elements.h"
#include "tests/comm/remote_device.h"
#include "tests/comm/through_device.h"

namespace bench {
namespace {

using comm_checks::all_checks;
using comm_checks::Check;
using comm_checks::RemoteDevice;
using comm_checks::ThroughDevice;

class OnADevice : public testing::TestWithParam<Check> {};

INSTANTIATE_TEST_SUITE_P(Communicators, OnADevice,
                         testing::ValuesIn(all_checks().begin(), all_checks().end()),
                         [](const auto& check) { return std::string(check.param.name); });

void run_staged(Communicator& host, int64_t staging_bytes, void (*check)(Communicator&)) {
  RemoteDevice device;
  StagedCommunicator staged(host, device, staging_bytes);
  ThroughDevice comm(staged, device, device.create_stream());
  check(comm);
}

TEST_P(OnADevice, StagedOverRanks) {
  for (const int ranks : {1, 2, 3, 4}) {
    SCOPED_TRACE(ranks);
    EXPECT_NO_THROW(run_ranks(ranks, [](Communicator& host) {
      run_staged(host, StagedCommunicator::kStagingBytes, GetParam().run);
    }));
  }
}

// Sizes that divide neither the counts nor the ranks.
TEST_P(OnADevice, StagedInPieces) {
  for (const int64_t bytes : {200, 1000}) {
    SCOPED_TRACE(bytes);
    EXPECT_NO_THROW(
        run_ranks(3, [&](Communicator& host) { run_staged(host, bytes, GetParam().run); }));
  }
}

TEST_P(OnADevice, OneRankAlone) {
  RemoteDevice device;
  SelfCommunicator self(device);
  ThroughDevice comm(self, device, device.create_stream());
  GetParam().run(comm);
}

// Less staging memory than one element of every rank takes.
TEST(Staged, PiecesHaveAtLeastOneElement) {
  run_ranks(3, [](Communicator& host) {
    run_staged(host, 1, [](Communicator& comm) {
      std::vector<double> all(15, comm.rank() + 1.0);
      comm.all_reduce(Stream{}, all.data(), all.data(), 15, DType::f64, ReduceOp::sum);
      EXPECT_EQ(all, std::vector<double>(15, 6.0));
      comm.reduce_scatter(Stream{}, all.data(), all.data(), 5, DType::f64, ReduceOp::sum);
      EXPECT_EQ(std::vector<double>(all.begin(), all.begin() + 5), std::vector<double>(5, 18.0));
    });
  });
}

TEST(OneRankOnADevice, OnlyGivesWorkToTheStream) {
  RemoteDevice device;
  SelfCommunicator comm(device);
  EXPECT_TRUE(comm.capturable());
  Buffer<int32_t> from(device, 1), to(device, 1);
  int32_t value = 5, got = 0;
  device.copy(Stream{}, from.data(), &value, sizeof value);
  comm.all_reduce(Stream{}, from.data(), to.data(), 1, DType::i32, ReduceOp::sum);
  device.copy(Stream{}, &got, to.data(), sizeof got);
  EXPECT_EQ(got, 0);
  device.synchronize(Stream{});
  EXPECT_EQ(got, 5);
}

TEST(Staged, IsNoCommunicatorForAGraph) {
  SelfCommunicator self;
  RemoteDevice device;
  StagedCommunicator comm(self, device);
  EXPECT_FALSE(comm.capturable());
  EXPECT_EQ(comm.kind(), "staged");
}

TEST(Staged, SparesARankAloneTheWayThroughTheHost) {
  run_ranks(3, [](Communicator& host) {
    RemoteDevice device;
    StagedCommunicator comm(host, device);
    const auto part = comm.split(host.rank() == 0 ? 0 : 1, 0);
    EXPECT_EQ(part->kind(), host.rank() == 0 ? "self" : "staged");
  });
}

// What the ranks tell each other by a barrier happened before it on their streams.
TEST(Staged, ABarrierWaitsForTheStream) {
  SelfCommunicator self;
  RemoteDevice device;
  StagedCommunicator comm(self, device);
  Buffer<int32_t> memory(device, 1);
  int32_t value = 7, got = 0;
  device.copy(Stream{}, memory.data(), &value, sizeof value);
  device.copy(Stream{}, &got, memory.data(), sizeof got);
  comm.barrier(Stream{});
  EXPECT_EQ(got, 7);
}

}  // namespace
}  // namespace bench
