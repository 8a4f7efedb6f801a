#include <cuda_runtime_api.h>
#include <gtest/gtest.h>

#include "kernels/cuda/check.h"
#include "tests/kernels/cuda_device.h"
#include "tests/kernels/sites.h"

namespace bench::kernels::test {
namespace {
using cuda::check;

// A graph of what `enqueue` gives to the stream.
class Recorded {
 public:
  Recorded(cudaStream_t stream, const std::function<void()>& enqueue) {
    check(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal), "starting to record");
    try {
      enqueue();
    } catch (...) {
      cudaStreamEndCapture(stream, &graph_);
      destroy();
      throw;
    }
    check(cudaStreamEndCapture(stream, &graph_), "recording");
    check(cudaGraphInstantiate(&executable_, graph_, 0), "instantiating a graph");
  }
  ~Recorded() { destroy(); }
  Recorded(const Recorded&) = delete;

  void replay(cudaStream_t stream) {
    check(cudaGraphLaunch(executable_, stream), "replaying a graph");
  }

 private:
  void destroy() {
    if (executable_ != nullptr) cudaGraphExecDestroy(executable_);
    if (graph_ != nullptr) cudaGraphDestroy(graph_);
  }

  cudaGraph_t graph_ = nullptr;
  cudaGraphExec_t executable_ = nullptr;
};

// After a first call, which may allocate, every call is recorded and replayed: same bits.
class ReplayingSite final : public Site {
 public:
  using Site::Site;

 protected:
  std::vector<std::byte> run(const Image& image, const std::function<void()>& enqueue) override {
    const std::vector<std::byte> first = Site::run(image, enqueue);
    upload(image);
    const cudaStream_t stream = cuda::stream_of(context());
    Recorded recorded(stream, enqueue);
    recorded.replay(stream);
    std::vector<std::byte> replayed = download(image);
    EXPECT_TRUE(replayed == first) << "other bits when replayed";
    return replayed;
  }
};

}  // namespace

const std::vector<TestedSite>& tested_sites() {
  // Never destroyed: at the program's end the CUDA runtime may have gone before.
  static const std::vector<TestedSite> sites = {
      {"called", new Site(make_cuda_device())},
      {"replayed", new ReplayingSite(make_cuda_device())}};
  return sites;
}

std::unique_ptr<Site> single_site() { return std::make_unique<Site>(make_cuda_device()); }

}  // namespace bench::kernels::test
