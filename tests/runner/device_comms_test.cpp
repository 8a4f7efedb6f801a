// Which communicator cases are given, over threads that play ranks and a device that says it is a
// GPU. There is no module of NCCL where these look for one.
#include "bench/runner/device_comms.h"

#include <gtest/gtest.h>

#include <functional>

#include "bench/base/status.h"
#include "parallel/comm/self/self_communicator.h"
#include "parallel/comm/threads/threads_communicator.h"
#include "tests/comm/remote_device.h"

namespace bench::runner {
namespace {

using comm_checks::RemoteDevice;

DeviceComms::Settings settings(CommChoice asked) {
  return {.asked = asked, .module_dir = "/nowhere", .deadline_s = 1};
}

// On every rank, with a GPU of its own.
void on_gpus(int ranks, CommChoice asked,
             const std::function<void(DeviceComms&, Communicator&)>& body) {
  run_ranks(ranks, [&](Communicator& world) {
    RemoteDevice device(DeviceKind::cuda, "GPU-" + std::to_string(world.rank()));
    DeviceComms comms(world, device, settings(asked));
    body(comms, world);
  });
}

TEST(DeviceComms, LetCpuRanksOfOneHostShareMemory) {
  for (const CommChoice asked : {CommChoice::automatic, CommChoice::shared}) {
    run_ranks(2, [&](Communicator& world) {
      RemoteDevice device(DeviceKind::cpu);
      DeviceComms comms(world, device, settings(asked));
      EXPECT_EQ(comms.make(world)->kind(), "shared");
      EXPECT_EQ(comms.label(2), "shared memory");
      EXPECT_EQ(comms.note(),
                std::string("communicator shared memory: ") +
                    (asked == CommChoice::shared ? "asked for" : "all ranks are on one host"));
      EXPECT_EQ(comms.label(1), "");
      EXPECT_EQ(comms.nccl_version(), "");
    });
  }
}

TEST(DeviceComms, LeaveCpusTheHostsCommunicatorWhereThatIsAskedForOrOneRankIsAlone) {
  run_ranks(2, [](Communicator& world) {
    RemoteDevice device(DeviceKind::cpu);
    DeviceComms comms(world, device, settings(CommChoice::mpi));
    EXPECT_EQ(comms.make(world), nullptr);
    EXPECT_EQ(comms.label(2), "threads");
    EXPECT_EQ(comms.note(), "communicator threads: asked for");
  });
  run_ranks(1, [](Communicator& world) {
    RemoteDevice device(DeviceKind::cpu);
    DeviceComms comms(world, device, settings(CommChoice::automatic));
    EXPECT_EQ(comms.make(world), nullptr);
    EXPECT_EQ(comms.label(1), "");
    EXPECT_EQ(comms.note(), "");
  });
}

TEST(DeviceComms, AreStagedWhereTheBuildHasNoNcclAndSaySo) {
  on_gpus(3, CommChoice::automatic, [](DeviceComms& comms, Communicator& world) {
    EXPECT_EQ(comms.make(world)->kind(), "staged");
    EXPECT_EQ(comms.label(3), "threads staged through host memory");
    EXPECT_NE(comms.note().find("this build has no NCCL module"), std::string::npos)
        << comms.note();
    EXPECT_EQ(comms.nccl_version(), "");
  });
}

TEST(DeviceComms, GiveARankAloneCopiesInStreamOrder) {
  on_gpus(2, CommChoice::staged, [](DeviceComms& comms, Communicator& world) {
    const auto alone = world.split(world.rank(), 0);
    const auto made = comms.make(*alone);
    EXPECT_EQ(made->kind(), "self");
    EXPECT_TRUE(made->capturable());
    EXPECT_EQ(comms.label(1), "self");
    EXPECT_EQ(comms.note(), "communicator threads staged through host memory: asked for");
  });
  on_gpus(1, CommChoice::automatic, [](DeviceComms& comms, Communicator& world) {
    EXPECT_EQ(comms.make(world)->kind(), "self");
    EXPECT_EQ(comms.note(), "");
  });
}

TEST(DeviceComms, EndTheRunWhereNcclIsAskedForAndCannotBeHad) {
  on_gpus(1, CommChoice::staged, [](DeviceComms&, Communicator& world) {
    RemoteDevice device(DeviceKind::cuda, "GPU-0");
    EXPECT_THROW(DeviceComms(world, device, settings(CommChoice::nccl)), AgreedError);
  });
}

}  // namespace
}  // namespace bench::runner
