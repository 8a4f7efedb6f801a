#include "bench/world/near_gpu.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <fstream>

namespace bench {
namespace {

namespace fs = std::filesystem;
using Near = std::vector<std::vector<int>>;

// The files of a machine, in a folder of their own.
class Machine {
 public:
  Machine() {
    std::string name = fs::temp_directory_path() / "near_gpu_XXXXXX";
    root_ = mkdtemp(name.data());
    put("dev/nvidiactl", "");
    put("sys/devices/system/node/node0/cpulist", "0-3");
    put("sys/devices/system/node/node1/cpulist", "4-7");
  }
  ~Machine() { fs::remove_all(root_); }
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;

  void put(const fs::path& file, const std::string& text) {
    fs::create_directories((root_ / file).parent_path());
    std::ofstream(root_ / file) << text << "\n";
  }
  void add(const std::string& address, const std::string& node,
           const std::string& kind = "0x030200", const std::string& vendor = "0x10de") {
    const fs::path device = fs::path("sys/bus/pci/devices") / address;
    put(device / "vendor", vendor);
    put(device / "class", kind);
    put(device / "numa_node", node);
  }
  Near near(const std::optional<std::string>& visible = {}) const {
    return cpus_near_gpus(root_, visible);
  }
  fs::path root() const { return root_; }

 private:
  fs::path root_;
};

TEST(CpusNearGpus, GoByPciAddressAndLeaveOutWhatIsNoGpu) {
  Machine m;
  m.add("0000:c1:00.0", "0");
  m.add("0000:1a:00.0", "1");
  m.add("0000:1b:00.0", "0", "0x020000");            // a network card of NVIDIA's
  m.add("0000:02:00.0", "0", "0x030000", "0x1a03");  // another vendor's screen
  EXPECT_EQ(m.near(), (Near{{4, 5, 6, 7}, {0, 1, 2, 3}}));
}

TEST(CpusNearGpus, FollowTheDevicesThatCudaShows) {
  Machine m;
  m.add("0000:1a:00.0", "0");
  m.add("0000:c1:00.0", "1");
  EXPECT_EQ(m.near("1,0"), (Near{{4, 5, 6, 7}, {0, 1, 2, 3}}));
  EXPECT_EQ(m.near("1"), (Near{{4, 5, 6, 7}}));
  EXPECT_EQ(m.near("1,2,0"), (Near{{4, 5, 6, 7}}));  // as CUDA: nothing behind what is not there
  EXPECT_EQ(m.near(""), Near{});
  EXPECT_EQ(m.near("GPU-5c3c6b3e"), Near{});
}

TEST(CpusNearGpus, AreNotGuessed) {
  Machine no_node;
  no_node.add("0000:1a:00.0", "0");
  no_node.add("0000:c1:00.0", "-1");
  EXPECT_EQ(no_node.near(), Near{});
  Machine no_driver;
  no_driver.add("0000:1a:00.0", "0");
  fs::remove(no_driver.root() / "dev/nvidiactl");
  EXPECT_EQ(no_driver.near(), Near{});
}

TEST(ShareNearGpu, DividesANodeAmongTheRanksOfItsGpus) {
  const std::vector<int> all = {0, 1, 2, 3, 4, 5, 6, 7};
  const Near near = {{4, 5, 6, 7}, {0, 1, 2, 3}, {4, 5, 6, 7}};
  EXPECT_EQ(share_near_gpu(all, near, 0, 3), (std::vector<int>{4, 5}));
  EXPECT_EQ(share_near_gpu(all, near, 1, 3), (std::vector<int>{0, 1, 2, 3}));
  EXPECT_EQ(share_near_gpu(all, near, 2, 3), (std::vector<int>{6, 7}));
  EXPECT_EQ(share_near_gpu(all, near, 4, 5), (std::vector<int>{2, 3}));  // GPU 1 once more
  EXPECT_EQ(share_near_gpu({0, 5, 7}, near, 2, 3), (std::vector<int>{7}));
}

TEST(ShareNearGpu, IsNoneWhereItWouldBeEmptyForSome) {
  const Near near = {{4, 5, 6, 7}, {0, 1, 2, 3}};
  EXPECT_TRUE(share_near_gpu({0, 1}, near, 0, 2).empty());
  EXPECT_TRUE(share_near_gpu({0, 4}, near, 2, 4).empty());
  EXPECT_TRUE(share_near_gpu({0, 4}, {}, 0, 1).empty());
  EXPECT_TRUE(share_near_gpu({0, 4}, near, 3, 2).empty());
  EXPECT_TRUE(share_near_gpu({0, 1}, {{0, 1}}, 0, 2).empty());
  EXPECT_EQ(share_near_gpu({0, 1, 4}, {{0, 1}}, 0, 1), (std::vector<int>{0, 1}));
}

}  // namespace
}  // namespace bench
