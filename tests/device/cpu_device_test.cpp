#include "bench/device/cpu/cpu_device.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <string>

#include "bench/base/status.h"
#include "bench/device/buffer.h"

namespace bench {
namespace {

TEST(CpuDevice, SaysWhatItIs) {
  const CpuDevice device(3, 1 << 20);
  EXPECT_EQ(device.info().kind, DeviceKind::cpu);
  EXPECT_EQ(device.threads(), 3);
  EXPECT_EQ(device.info().memory_bytes, 1U << 20);
  EXPECT_FALSE(device.info().name.empty());
  EXPECT_GT(device.info().last_level_cache_bytes, 0U);
}

TEST(CpuDevice, AlignsEverySize) {
  CpuDevice device(1);
  for (const size_t bytes : {size_t{0}, size_t{1}, size_t{63}, size_t{65}, size_t{5} << 20}) {
    void* memory = device.allocate(bytes);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(memory) % 64, 0U) << bytes;
    device.fill(Stream{}, memory, 0x5a, bytes);
    device.release(memory);
  }
  void* large = device.allocate(size_t{5} << 20);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(large) % (size_t{2} << 20), 0U);
  device.release(large);
}

TEST(CpuDevice, SaysHowMuchWasAskedForInVain) {
  CpuDevice device(1);
  for (const size_t bytes : {size_t{1} << 62, std::numeric_limits<size_t>::max()}) {
    try {
      device.allocate(bytes);
      ADD_FAILURE() << bytes << " bytes were given";
    } catch (const EnvironmentError& e) {
      EXPECT_NE(std::string(e.what()).find(std::to_string(bytes)), std::string::npos) << e.what();
    }
  }
}

TEST(CpuDevice, CopiesAndFills) {
  CpuDevice device(1);
  Buffer<int32_t> a(device, 5), b(device, 5);
  for (int i = 0; i < 5; ++i) a.data()[i] = i;
  device.copy(Stream{}, b.data(), a.data(), a.bytes());
  EXPECT_EQ(b.data()[4], 4);
  device.fill(Stream{}, b.data(), 0, b.bytes());
  EXPECT_EQ(b.data()[4], 0);
}

TEST(Buffer, MovesWithoutFreeingTwice) {
  CpuDevice device(1);
  Buffer<float> a(device, 7);
  const float* memory = a.data();
  Buffer<float> b = std::move(a);
  EXPECT_EQ(b.data(), memory);
  EXPECT_EQ(b.size(), 7);
  b = Buffer<float>(device, 2);
  EXPECT_EQ(b.bytes(), 8U);
}

}  // namespace
}  // namespace bench
