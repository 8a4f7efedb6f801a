// What is decided about GPUs without one: which a rank takes, why none can be used, what the
// driver's numbers mean.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "bench/base/status.h"
#include "bench/device/cuda/gpu_choice.h"
#include "bench/device/cuda/nvml.h"
#include "bench/device/cuda/open_gpu.h"

namespace bench {
namespace {
namespace fs = std::filesystem;

TEST(ChooseGpu, GivesEachLocalRankItsOwn) {
  for (int rank = 0; rank < 8; ++rank) {
    const GpuChoice choice = choose_gpu(8, rank, 8);
    EXPECT_EQ(choice.index, rank);
    EXPECT_EQ(choice.ranks, 1);
    EXPECT_NE(choice.words.find("local rank " + std::to_string(rank)), std::string::npos);
  }
}

TEST(ChooseGpu, TakesTheOnlyOneThatALauncherShowsEachRank) {
  const GpuChoice choice = choose_gpu(1, 5, 8);
  EXPECT_EQ(choice.index, 0);
  EXPECT_EQ(choice.ranks, 1);  // told by uuids, not from here
}

TEST(ChooseGpu, GoesInTurnWhereRanksAreMore) {
  int total = 0;
  for (int rank = 0; rank < 5; ++rank) {
    const GpuChoice choice = choose_gpu(3, rank, 5);
    EXPECT_EQ(choice.index, rank % 3);
    EXPECT_EQ(choice.ranks, rank % 3 == 2 ? 1 : 2);
    EXPECT_NE(choice.words.find("5 ranks of this host share 3 GPUs"), std::string::npos);
    total += rank < 3 ? choice.ranks : 0;
  }
  EXPECT_EQ(total, 5);
}

TEST(ChooseGpu, DoesNotTrustALauncherThatCountsTooFew) {
  EXPECT_EQ(choose_gpu(4, 6, 1).index, 2);
  EXPECT_GE(choose_gpu(4, 6, 1).ranks, 1);
}

TEST(Nvml, CallsIdleAndChosenClocksNoThrottling) {
  EXPECT_EQ(Nvml::throttle_of(0), 0U);
  EXPECT_EQ(Nvml::throttle_of(0x1 | 0x2 | 0x100), 0U);
  EXPECT_EQ(Nvml::throttle_of(0x4), kThrottlePowerCap);
  EXPECT_EQ(Nvml::throttle_of(0x20), kThrottleThermal);
  EXPECT_EQ(Nvml::throttle_of(0x8 | 0x40), kThrottleThermal);
  EXPECT_EQ(Nvml::throttle_of(0x8 | 0x80), kThrottlePowerBrake);
  EXPECT_EQ(Nvml::throttle_of(0x8), kThrottleHardware);
  EXPECT_EQ(Nvml::throttle_of(0x10 | 0x4), kThrottleSyncBoost | kThrottlePowerCap);
}

TEST(Nvml, SaysWhyItCannotBeReadAndReadsNothing) {
  const Nvml nvml("GPU-00000000-0000-0000-0000-000000000000");
  EXPECT_NE(nvml.why_not().find("NVML"), std::string::npos);
  const GpuHealth health = nvml.read();
  EXPECT_FALSE(health.sm_clock_mhz.has_value());
  EXPECT_EQ(health.throttled_by, 0U);
}

std::string why_not(const fs::path& folder) {
  try {
    open_gpu(folder, {});
    return "";
  } catch (const EnvironmentError& e) {
    return e.what();
  }
}

TEST(OpenGpu, SaysWhatIsWrongWithTheModule) {
  const fs::path folder = fs::temp_directory_path() / ("open_gpu_test." + std::to_string(getpid()));
  fs::create_directories(folder);
  EXPECT_NE(why_not(folder).find("this build has no CUDA module"), std::string::npos);
  std::ofstream(folder / "bench_device_cuda.so") << "no library";
  EXPECT_NE(why_not(folder).find("cannot be opened"), std::string::npos);
  fs::remove_all(folder);
}

}  // namespace
}  // namespace bench
