// NCCL's module: what it says without a GPU, and with one every check that the other communicators
// pass, on one rank. Two ranks want two GPUs.
#include <cuda_runtime_api.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "bench/base/status.h"
#include "bench/device/buffer.h"
#include "bench/device/cuda/open_gpu.h"
#include "parallel/comm/nccl/nccl_module.h"
#include "parallel/comm/nccl/version.h"
#include "parallel/comm/self/self_communicator.h"
#include "tests/comm/checks.h"
#include "tests/comm/remote_device.h"
#include "tests/comm/through_device.h"
#include "tests/device/modules.h"

namespace bench {
namespace {

using comm_checks::all_checks;
using comm_checks::Check;

constexpr double kDeadline = 60;

TEST(NcclVersion, IsReadAsNcclWritesIt) {
  EXPECT_EQ(nccl_version_text(22809), "2.28.9");
  EXPECT_EQ(nccl_version_text(21005), "2.10.5");
  EXPECT_EQ(nccl_version_text(2804), "2.8.4");
}

TEST(NcclModule, KnowsItsVersionAndWhereItIsOfNoUse) {
  const auto nccl = open_nccl_module(modules_folder(BENCH_MODULE_DIR));
  EXPECT_EQ(nccl->version().rfind("2.", 0), 0U) << nccl->version();
  const comm_checks::RemoteDevice cpu;
  EXPECT_NE(nccl->why_not(cpu), "");
  int gpus = 0;
  if (cudaGetDeviceCount(&gpus) == cudaSuccess && gpus > 0) return;
  const comm_checks::RemoteDevice gpu(DeviceKind::cuda, "GPU-0");
  EXPECT_NE(nccl->why_not(gpu).find("NCCL finds no GPU"), std::string::npos) << nccl->why_not(gpu);
}

TEST(NcclModule, SaysWhatIsMissing) {
  try {
    open_nccl_module("/nowhere");
    ADD_FAILURE();
  } catch (const EnvironmentError& e) {
    EXPECT_NE(std::string(e.what()).find("this build has no NCCL module"), std::string::npos);
  }
}

// One rank on the first GPU, and a stream. Made when the first test wants it, and ended while CUDA
// still is there.
class OneGpu {
 public:
  static OneGpu& get() {
    if (!made_) made_.reset(new OneGpu);
    return *made_;
  }
  static void end() { made_.reset(); }
  const std::string& why_not() const { return why_not_; }
  Device& device() { return *device_; }
  Communicator& comm() { return *comm_; }
  Stream stream() const { return stream_; }

 private:
  static inline std::unique_ptr<OneGpu> made_;

  OneGpu() {
    try {
      device_ = open_gpu(modules_folder(BENCH_MODULE_DIR), {});
      nccl_ = open_nccl_module(modules_folder(BENCH_MODULE_DIR));
      stream_ = device_->create_stream();
    } catch (const EnvironmentError& e) {
      why_not_ = e.what();
      return;
    }
    comm_ = nccl_->create(self_, *device_, kDeadline);
  }

  std::string why_not_;
  SelfCommunicator self_;
  std::unique_ptr<GpuDevice> device_;
  std::unique_ptr<NcclModule> nccl_;
  Stream stream_;
  std::unique_ptr<Communicator> comm_;
};

class EndOfOneGpu final : public testing::Environment {
 public:
  void TearDown() override { OneGpu::end(); }
};
[[maybe_unused]] const testing::Environment* const kEnd =
    testing::AddGlobalTestEnvironment(new EndOfOneGpu);

class OnOneGpu : public testing::TestWithParam<Check> {
 protected:
  void SetUp() override {
    if (const std::string& why_not = OneGpu::get().why_not(); !why_not.empty())
      GTEST_SKIP() << why_not;
  }
};

INSTANTIATE_TEST_SUITE_P(Nccl, OnOneGpu,
                         testing::ValuesIn(all_checks().begin(), all_checks().end()),
                         [](const auto& check) { return std::string(check.param.name); });

TEST_P(OnOneGpu, PassesTheCheck) {
  OneGpu& one = OneGpu::get();
  comm_checks::ThroughDevice comm(one.comm(), one.device(), one.stream());
  GetParam().run(comm);
}

TEST_P(OnOneGpu, PassesTheCheckInASplit) {
  OneGpu& one = OneGpu::get();
  const auto part = one.comm().split(0, 0);
  comm_checks::ThroughDevice comm(*part, one.device(), one.stream());
  GetParam().run(comm);
}

// A device communicator without NCCL, on the same GPU.
TEST_P(OnOneGpu, PassesTheCheckAlone) {
  OneGpu& one = OneGpu::get();
  SelfCommunicator self(one.device());
  comm_checks::ThroughDevice comm(self, one.device(), one.stream());
  GetParam().run(comm);
}

class NcclInAGraph : public OnOneGpu {};
INSTANTIATE_TEST_SUITE_P(Nccl, NcclInAGraph, testing::Values(Check{"graph", nullptr}));

// Everything a training step gives to the stream, replayed on new values.
TEST_P(NcclInAGraph, IsRecordedAndReplayed) {
  OneGpu& one = OneGpu::get();
  ASSERT_TRUE(one.comm().capturable());
  const auto s = static_cast<cudaStream_t>(one.stream().native);
  Buffer<float> from(one.device(), 1000), to(one.device(), 1000), aside(one.device(), 1000);
  const auto enqueue = [&] {
    one.comm().barrier(one.stream());
    one.comm().all_reduce(one.stream(), from.data(), to.data(), 1000, DType::f32, ReduceOp::sum);
    const auto ticket = one.comm().all_reduce_start(one.stream(), to.data(), aside.data(), 1000,
                                                    DType::f32, ReduceOp::sum);
    const auto scattered = one.comm().reduce_scatter_start(one.stream(), aside.data(), aside.data(),
                                                           1000, DType::f32, ReduceOp::sum);
    one.comm().wait(one.stream(), ticket);
    one.comm().wait(one.stream(), scattered);
  };
  enqueue();  // what a first call makes
  one.device().synchronize(one.stream());
  cudaGraph_t graph = nullptr;
  cudaGraphExec_t runnable = nullptr;
  ASSERT_EQ(cudaStreamBeginCapture(s, cudaStreamCaptureModeThreadLocal), cudaSuccess);
  enqueue();
  ASSERT_EQ(cudaStreamEndCapture(s, &graph), cudaSuccess);
  ASSERT_EQ(cudaGraphInstantiate(&runnable, graph, 0), cudaSuccess);
  const std::vector<float> values(1000, 3.0F);
  std::vector<float> got(1000);
  one.device().copy(one.stream(), from.data(), values.data(), from.bytes());
  ASSERT_EQ(cudaGraphLaunch(runnable, s), cudaSuccess);
  one.device().copy(one.stream(), got.data(), aside.data(), aside.bytes());
  one.device().synchronize(one.stream());
  EXPECT_EQ(got, values);
  cudaGraphExecDestroy(runnable);
  cudaGraphDestroy(graph);
}

}  // namespace
}  // namespace bench
