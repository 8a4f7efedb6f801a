#include <gtest/gtest.h>

#include <stdexcept>

#include "kernels/graph.h"
#include "tests/device/cuda_device.h"
#include "tests/kernels/sites.h"

namespace bench::kernels::test {
namespace {

std::unique_ptr<Device> device() {
  std::string why_not;
  auto opened = bench::test::open_cuda_device(why_not);
  if (opened == nullptr) throw std::runtime_error(why_not);
  return opened;
}

// After a first call, which may allocate, every call is recorded and replayed: same bits.
class ReplayingSite final : public Site {
 public:
  using Site::Site;

 protected:
  std::vector<std::byte> run(const Image& image, const std::function<void()>& enqueue) override {
    const std::vector<std::byte> first = Site::run(image, enqueue);
    upload(image);
    const auto graph = graph_recorder()(context(), enqueue);
    EXPECT_TRUE(graph->launch(context().stream)) << "takes more memory the second time";
    std::vector<std::byte> replayed = download(image);
    EXPECT_TRUE(replayed == first) << "other bits when replayed";
    return replayed;
  }
};

}  // namespace

const std::vector<TestedSite>& tested_sites() {
  // Never destroyed: at the program's end the CUDA runtime may have gone before.
  static const std::vector<TestedSite> sites = {{"called", new Site(device())},
                                                {"replayed", new ReplayingSite(device())},
                                                {"in any order", new Site(device(), false)}};
  return sites;
}

std::unique_ptr<Site> single_site() { return std::make_unique<Site>(device()); }

}  // namespace bench::kernels::test
