// The profiler plugin, called as NCCL calls it.
#include <dlfcn.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include "parallel/comm/nccl/profiler_interface.h"
#include "parallel/comm/nccl/record.h"
#include "tests/device/modules.h"

namespace bench {
namespace {

std::filesystem::path module() {
  return std::filesystem::path(modules_folder(BENCH_MODULE_DIR)) / "bench_nccl_record.so";
}

// NCCL's side: a communicator's context and the mask of events that somebody wants.
class FakeNccl {
 public:
  FakeNccl() {
    void* const opened = dlopen(module().c_str(), RTLD_NOW | RTLD_LOCAL);
    plugin_ = static_cast<const NcclProfilerV3*>(dlsym(opened, "ncclProfiler_v3"));
    EXPECT_EQ(plugin_->init(&context_, &mask_), 0);
  }
  int mask() const { return mask_; }
  void run(const char* function, const char* algorithm, const char* protocol) const {
    if ((mask_ & kNcclProfileCollective) == 0) return;
    NcclEvent event{};
    event.type = kNcclProfileCollective;
    event.collective.function = function;
    event.collective.algorithm = algorithm;
    event.collective.protocol = protocol;
    void* handle = nullptr;
    EXPECT_EQ(plugin_->start_event(context_, &handle, &event), 0);
    EXPECT_NE(handle, nullptr);
    EXPECT_EQ(plugin_->stop_event(handle), 0);
  }

 private:
  const NcclProfilerV3* plugin_ = nullptr;
  void* context_ = nullptr;
  int mask_ = -1;
};

class NcclRecorded : public testing::Test {
 protected:
  void TearDown() override { unsetenv("NCCL_PROFILER_PLUGIN"); }
};

TEST_F(NcclRecorded, CountsWhatRanWhileItWasWanted) {
  const NcclRecord record(module());
  ASSERT_TRUE(record.is_there());
  EXPECT_EQ(getenv("NCCL_PROFILER_PLUGIN"), module().string());
  const FakeNccl nccl;
  EXPECT_EQ(nccl.mask(), 0);  // nothing is told while cases are timed
  nccl.run("AllReduce", "TREE", "LL");
  record.turn(true);
  nccl.run("AllReduce", "RING", "LL128");
  nccl.run("AllReduce", "RING", "LL128");
  nccl.run("Broadcast", nullptr, "SIMPLE");
  record.turn(false);
  nccl.run("AllGather", "RING", "SIMPLE");
  EXPECT_EQ(record.read(), (std::map<std::string, int>{{"AllReduce.RING.LL128", 2},
                                                       {"Broadcast.unknown.SIMPLE", 1}}));
  EXPECT_TRUE(record.read().empty());
}

TEST_F(NcclRecorded, LeavesAPluginOfTheUsersAlone) {
  setenv("NCCL_PROFILER_PLUGIN", "/opt/theirs.so", 1);
  const NcclRecord record(module());
  EXPECT_FALSE(record.is_there());
  EXPECT_TRUE(record.read().empty());
  EXPECT_STREQ(getenv("NCCL_PROFILER_PLUGIN"), "/opt/theirs.so");
}

TEST_F(NcclRecorded, IsNoneWhereTheModuleIsNot) {
  const NcclRecord record("/nowhere/bench_nccl_record.so");
  EXPECT_FALSE(record.is_there());
  EXPECT_EQ(getenv("NCCL_PROFILER_PLUGIN"), nullptr);
}

}  // namespace
}  // namespace bench
