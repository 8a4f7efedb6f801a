#include "bench/measure/peak_memory.h"

#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>

#include "bench/device/buffer.h"
#include "tests/device/fake_gpu.h"

namespace bench::measure {
namespace {
namespace fs = std::filesystem;

constexpr double kMiB = 1024.0 * 1024.0;

// A /proc/self that says what a test wants.
class FakeProc {
 public:
  FakeProc() { fs::create_directories(folder_), set(0, 0), std::ofstream(folder_ / "clear_refs"); }
  ~FakeProc() { fs::remove_all(folder_); }
  void set(int64_t high_kb, int64_t resident_kb) {
    std::ofstream(folder_ / "status") << "Name:\ta program\nVmHWM:\t   " << high_kb
                                      << " kB\nVmRSS:\t " << resident_kb << " kB\nThreads:\t1\n";
  }
  std::string cleared() const {
    std::string text;
    std::ifstream(folder_ / "clear_refs") >> text;
    return text;
  }
  void forbid() { fs::remove(folder_ / "clear_refs"); }
  std::string path() const { return folder_.string(); }

 private:
  fs::path folder_ = fs::temp_directory_path() / ("peak_memory_test." + std::to_string(getpid()));
};

TEST(PeakMemory, is_the_highest_mark_above_what_was_there_at_first) {
  FakeProc proc;
  HostPeakMemory memory(proc.path());
  EXPECT_FALSE(memory.net_bytes().has_value());
  proc.set(900, 100);
  memory.begin();
  EXPECT_EQ(proc.cleared(), "5");
  proc.set(350, 120);
  EXPECT_EQ(memory.net_bytes(), 250 * 1024.0);
}

TEST(PeakMemory, leaves_out_what_happens_in_a_pause) {
  FakeProc proc;
  HostPeakMemory memory(proc.path());
  proc.set(100, 100);
  memory.begin();
  proc.set(300, 300);
  memory.pause();
  proc.set(9000, 300);
  EXPECT_EQ(memory.net_bytes(), 200 * 1024.0);
  proc.set(300, 300);
  memory.resume();
  proc.set(400, 300);
  EXPECT_EQ(memory.net_bytes(), 300 * 1024.0);
}

TEST(PeakMemory, is_unknown_where_the_mark_cannot_be_set_back) {
  FakeProc proc;
  EXPECT_EQ(HostPeakMemory::why_not(proc.path()), "");
  proc.forbid();
  EXPECT_NE(HostPeakMemory::why_not(proc.path()).find("clear_refs cannot be written"),
            std::string::npos);
  HostPeakMemory memory(proc.path());
  memory.begin();
  EXPECT_FALSE(memory.net_bytes().has_value());
}

TEST(PeakMemory, sees_what_this_process_touches_and_frees_again) {
  if (!HostPeakMemory::why_not().empty()) GTEST_SKIP() << HostPeakMemory::why_not();
  const auto touch = [](size_t bytes) {
    const std::unique_ptr<char[]> memory(new char[bytes]);
    std::memset(memory.get(), 1, bytes);
    return static_cast<double>(memory[bytes / 2]);
  };
  const size_t large = size_t{64} << 20, larger = size_t{128} << 20;
  touch(larger);  // freed before it begins
  HostPeakMemory memory;
  memory.begin();
  touch(large);
  memory.pause();
  touch(larger);
  memory.resume();
#if defined(__SANITIZE_ADDRESS__)
  constexpr double kShadow = 1.0 / 8;  // a byte of the sanitizer's for eight of the program's
#else
  constexpr double kShadow = 0;
#endif
  EXPECT_NEAR(memory.net_bytes().value(), (1 + kShadow) * 64 * kMiB, 4 * kMiB);
}

TEST(GpuPeakMemory, is_the_most_the_device_gave_and_what_disappeared_beside) {
  test::FakeGpu gpu;
  const Buffer<char> before(gpu, 1000);
  GpuPeakMemory memory(gpu, false);
  EXPECT_FALSE(memory.net_bytes().has_value());
  memory.begin();
  {
    const Buffer<char> tensor(gpu, 500);
    const Buffer<char> workspace(gpu, 200);
  }
  gpu.reserved = 5000;  // kept by the device: no part of it
  gpu.beside = 64;
  EXPECT_EQ(memory.net_bytes(), 700 + 64);
  EXPECT_EQ(memory.beside_bytes(), 64);
}

TEST(GpuPeakMemory, leaves_out_what_happens_in_a_pause) {
  test::FakeGpu gpu;
  GpuPeakMemory memory(gpu, false);
  memory.begin();
  const Buffer<char> tensor(gpu, 500);
  memory.pause();
  { const Buffer<char> oracle(gpu, 9000); }
  gpu.beside = 4096;  // the check's, and kept
  EXPECT_EQ(memory.net_bytes(), 500);
  memory.resume();
  const Buffer<char> more(gpu, 100);
  gpu.beside += 32;
  EXPECT_EQ(memory.net_bytes(), 600 + 32);
}

TEST(GpuPeakMemory, does_not_count_what_others_take_of_a_shared_device) {
  test::FakeGpu gpu;
  GpuPeakMemory memory(gpu, true);
  memory.begin();
  gpu.beside = 1 << 20;
  const Buffer<char> tensor(gpu, 500);
  EXPECT_EQ(memory.net_bytes(), 500);
  EXPECT_FALSE(memory.beside_bytes().has_value());
}

TEST(GpuPeakMemory, is_unknown_of_a_device_that_failed) {
  test::FakeGpu gpu;
  GpuPeakMemory memory(gpu, false);
  memory.begin();
  gpu.memory_fails = true;
  memory.pause();
  memory.resume();
  EXPECT_FALSE(memory.net_bytes().has_value());
}

}  // namespace
}  // namespace bench::measure
