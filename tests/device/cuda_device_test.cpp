// The GPU's module on a GPU; without one the program ends as skipped. What depends on this card's
// speed is printed, not judged.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <set>
#include <stdexcept>
#include <thread>
#include <vector>

#include "bench/base/status.h"
#include "bench/device/buffer.h"
#include "bench/device/cuda/open_gpu.h"
#include "bench/device/owned_stream.h"
#include "tests/device/modules.h"

namespace bench {
namespace {

constexpr int kSkipped = 77;  // as the build's test driver knows it
constexpr size_t kMiB = size_t{1} << 20;

std::unique_ptr<GpuDevice> the_gpu;

using Bytes = std::vector<unsigned char>;

Bytes pattern(size_t size, unsigned seed) {
  Bytes bytes(size);
  for (size_t i = 0; i < size; ++i)
    bytes[i] = static_cast<unsigned char>((i * 2654435761U + seed) >> 7);
  return bytes;
}

Bytes read(Stream s, const Buffer<unsigned char>& from) {
  Bytes bytes(from.bytes());
  the_gpu->copy(s, bytes.data(), from.data(), bytes.size());
  the_gpu->synchronize(s);
  return bytes;
}

void wait_on_host() { std::this_thread::sleep_for(std::chrono::milliseconds(2)); }

TEST(CudaDevice, SaysWhatItIs) {
  const DeviceInfo& info = the_gpu->info();
  EXPECT_EQ(info.kind, DeviceKind::cuda);
  EXPECT_EQ(info.uuid.size(), std::string("GPU-00000000-0000-0000-0000-000000000000").size());
  EXPECT_GT(info.last_level_cache_bytes, kMiB);
  EXPECT_GT(the_gpu->facts().multiprocessors, 0);
  EXPECT_GT(the_gpu->facts().most_sm_clock_mhz, 100);
  EXPECT_LT(the_gpu->facts().most_sm_clock_mhz, 10'000);
  std::cout << fmt::format("{} {}: driver {}, runtime {}, {} multiprocessors, cache {}, {}\n",
                           info.name, info.uuid, the_gpu->facts().driver, the_gpu->facts().runtime,
                           the_gpu->facts().multiprocessors, info.last_level_cache_bytes,
                           the_gpu->facts().choice);
}

TEST(CudaDevice, CopiesThereAndBack) {
  const OwnedStream stream(*the_gpu);
  for (const size_t size :
       {size_t{1}, size_t{3}, size_t{17}, size_t{1023}, kMiB + 1, 40 * kMiB + 5}) {
    const Bytes sent = pattern(size, 1);
    Buffer<unsigned char> there(*the_gpu, static_cast<int64_t>(size)),
        beside(*the_gpu, static_cast<int64_t>(size));
    EXPECT_EQ(reinterpret_cast<uintptr_t>(there.data()) % 64, 0U);
    the_gpu->copy(stream.get(), there.data(), sent.data(), size);
    the_gpu->copy(stream.get(), beside.data(), there.data(), size);
    EXPECT_EQ(read(stream.get(), beside), sent) << size;
    the_gpu->fill(stream.get(), there.data(), 0x5a, size);
    EXPECT_EQ(read(stream.get(), there), Bytes(size, 0x5a)) << size;
  }
}

// More than the staging memory holds, from one buffer that is overwritten after each call, while
// the stream has something else to do first.
TEST(CudaDevice, LetsTheCallerWriteAgainAtOnce) {
  constexpr size_t kCopies = 60, kSize = kMiB + 3;
  const OwnedStream stream(*the_gpu);
  Buffer<unsigned char> busy(*the_gpu, 256 * kMiB), all(*the_gpu, kCopies * kSize);
  for (int i = 0; i < 20; ++i) the_gpu->fill(stream.get(), busy.data(), i, busy.bytes());
  Bytes sent;
  for (unsigned i = 0; i < kCopies; ++i) {
    sent = pattern(kSize, i);
    the_gpu->copy(stream.get(), all.data() + i * kSize, sent.data(), kSize);
    std::fill(sent.begin(), sent.end(), 0);
  }
  const Bytes got = read(stream.get(), all);
  for (unsigned i = 0; i < kCopies; ++i) {
    const auto begin = got.begin() + static_cast<std::ptrdiff_t>(i * kSize);
    EXPECT_EQ(Bytes(begin, begin + static_cast<std::ptrdiff_t>(kSize)), pattern(kSize, i)) << i;
  }
}

TEST(CudaDevice, HasFinishedWhatTheDefaultStreamWasGiven) {
  const Bytes sent = pattern(1000, 3);
  Buffer<unsigned char> there(*the_gpu, 1000);
  the_gpu->copy(Stream{}, there.data(), sent.data(), sent.size());
  const OwnedStream stream(*the_gpu);
  EXPECT_EQ(read(stream.get(), there), sent);
}

TEST(CudaDevice, KeepsMemoryAndCountsIt) {
  const GpuMemory before = the_gpu->memory();
  the_gpu->reset_memory_peak();
  void* memory = the_gpu->allocate(100 * kMiB);
  the_gpu->release(memory);
  const GpuMemory after = the_gpu->memory();
  EXPECT_EQ(after.in_use, before.in_use);
  EXPECT_EQ(after.peak_in_use, before.in_use + 100 * kMiB);
  EXPECT_GE(after.reserved, 100 * kMiB);
  EXPECT_LE(after.free, after.total);
  EXPECT_EQ(the_gpu->allocate(100 * kMiB), memory);
  the_gpu->release(memory);
}

TEST(CudaDevice, SaysHowMuchThereIs) {
  try {
    the_gpu->allocate(size_t{1} << 60);
    ADD_FAILURE() << "an exabyte was given";
  } catch (const EnvironmentError& e) {
    const std::string words = e.what();
    EXPECT_NE(words.find(std::to_string(size_t{1} << 60)), std::string::npos) << words;
    EXPECT_NE(words.find(std::to_string(the_gpu->memory().total)), std::string::npos) << words;
  }
  Buffer<unsigned char> still(*the_gpu, 10);  // nothing of it lingers
}

TEST(CudaDevice, GivesStreamsAgain) {
  std::set<void*> made;
  for (int i = 0; i < 10; ++i) made.insert(OwnedStream(*the_gpu).get().native);
  EXPECT_EQ(made.size(), 1U);
}

TEST(CudaDevice, LeavesLaunchesOutBehindTheGate) {
  const OwnedStream stream(*the_gpu);
  Buffer<unsigned char> small(*the_gpu, 4096);
  const auto work = [&] {
    the_gpu->fill(stream.get(), small.data(), 1, small.bytes());
    wait_on_host();
    the_gpu->fill(stream.get(), small.data(), 2, small.bytes());
  };
  work();
  const StreamTime open = the_gpu->time(stream.get(), {}, work);
  EXPECT_FALSE(open.gate_held);
  EXPECT_GE(open.device_s, 1.5e-3);  // as long as the host's pause between the two
  bool aligned = false;
  const StreamTime gated =
      the_gpu->time(stream.get(), {.gated = true, .align = [&](Stream) { aligned = true; }}, work);
  EXPECT_TRUE(aligned);
  EXPECT_TRUE(gated.gate_held);
  EXPECT_LT(gated.device_s, 1e-3);
  EXPECT_GE(gated.enqueue_s, 1.5e-3);
  std::cout << fmt::format("two fills of 4 KiB: {:.2f} us behind the gate\n", 1e6 * gated.device_s);
}

TEST(CudaDevice, EndsTheGateForWhoWaitsForTheDevice) {
  const OwnedStream stream(*the_gpu);
  Buffer<unsigned char> small(*the_gpu, 4096);
  const StreamTime time = the_gpu->time(stream.get(), {.gated = true}, [&] {
    the_gpu->fill(stream.get(), small.data(), 1, small.bytes());
    the_gpu->synchronize(stream.get());
  });
  EXPECT_FALSE(time.gate_held);
  EXPECT_TRUE(the_gpu->time(stream.get(), {.gated = true}, [] {}).gate_held);
}

TEST(CudaDevice, OpensTheGateWhenTheEnqueueThrows) {
  const OwnedStream stream(*the_gpu);
  EXPECT_THROW(
      the_gpu->time(stream.get(), {.gated = true}, [] { throw std::logic_error("planted"); }),
      std::logic_error);
  the_gpu->synchronize(stream.get());
  EXPECT_TRUE(the_gpu->time(stream.get(), {.gated = true}, [] {}).gate_held);
}

TEST(CudaDevice, MarksStreamsInTheirOrder) {
  const OwnedStream stream(*the_gpu);
  Buffer<unsigned char> large(*the_gpu, 64 * kMiB);
  for (int round = 0; round < 2; ++round) {
    the_gpu->stamp(stream.get());
    for (int i = 0; i < 5; ++i) {
      the_gpu->fill(stream.get(), large.data(), i, large.bytes());
      the_gpu->stamp(stream.get());
    }
    const std::vector<int64_t> passed = the_gpu->read_stamps();
    ASSERT_EQ(passed.size(), 6U);
    EXPECT_EQ(passed.front(), 0);
    EXPECT_TRUE(std::is_sorted(passed.begin(), passed.end()));
    EXPECT_GT(passed.back(), 0);
  }
}

// What it is worth is for a reader: a copy that fits the cache, right after itself and after an
// eviction.
TEST(CudaDevice, EvictsItsCache) {
  const OwnedStream stream(*the_gpu);
  const size_t size = the_gpu->info().last_level_cache_bytes / 4;
  Buffer<unsigned char> from(*the_gpu, static_cast<int64_t>(size)),
      to(*the_gpu, static_cast<int64_t>(size));
  the_gpu->fill(stream.get(), from.data(), 1, size);
  const auto copy = [&] { the_gpu->copy(stream.get(), to.data(), from.data(), size); };
  std::vector<double> hot, cold;
  for (int i = 0; i < 21; ++i)
    hot.push_back(the_gpu->time(stream.get(), {.gated = true}, copy).device_s);
  for (int i = 0; i < 21; ++i) {
    the_gpu->evict_cache();
    cold.push_back(the_gpu->time(stream.get(), {.gated = true}, copy).device_s);
  }
  const auto median = [](std::vector<double>& v) {
    std::nth_element(v.begin(), v.begin() + 10, v.end());
    return v[10];
  };
  std::cout << fmt::format("copy of {} bytes: {:.2f} us hot, {:.2f} us cold\n", size,
                           1e6 * median(hot), 1e6 * median(cold));
}

TEST(CudaDevice, TellsItsHealthOrWhyNot) {
  const GpuHealth now = the_gpu->health();
  const std::string& why_not = the_gpu->facts().no_health_why;
  EXPECT_EQ(now.sm_clock_mhz.has_value(), why_not.empty()) << why_not;
  std::cout << fmt::format(
      "{:.0f} MHz, memory {:.0f} MHz, {:.0f} W, {:.0f} C, throttled by {:x} {}\n",
      now.sm_clock_mhz.value_or(0), now.memory_clock_mhz.value_or(0), now.power_w.value_or(0),
      now.temperature_c.value_or(0), now.throttled_by, why_not);
}

TEST(CudaDevice, IsSharedAmongRanks) {
  const uint64_t total = the_gpu->facts().total_memory_bytes;
  the_gpu->share_among(2);
  EXPECT_EQ(the_gpu->info().memory_bytes, total / 2);
  the_gpu->share_among(1);
  EXPECT_EQ(the_gpu->info().memory_bytes, total);
}

}  // namespace
}  // namespace bench

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  try {
    bench::the_gpu = bench::open_gpu(bench::modules_folder(BENCH_MODULES), {});
  } catch (const bench::EnvironmentError& e) {
    std::cout << "skipped: " << e.what() << '\n';
    return bench::kSkipped;
  }
  const int failed = RUN_ALL_TESTS();
  bench::the_gpu.reset();
  return failed;
}
