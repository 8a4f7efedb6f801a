#include "bench/device/cuda/memory_pool.h"

#include <gtest/gtest.h>

#include <limits>
#include <memory>
#include <set>
#include <vector>

namespace bench {
namespace {

constexpr uint64_t kMiB = uint64_t{1} << 20;

// So many bytes of memory that nobody writes.
class FakeSource final : public MemoryPool::Source {
 public:
  explicit FakeSource(uint64_t bytes) : left(bytes) {}
  ~FakeSource() override { EXPECT_TRUE(given.empty()) << "memory was not given back"; }
  void* take(uint64_t bytes) override {
    if (bytes > left) return nullptr;
    left -= bytes;
    ++takes;
    auto* memory = reinterpret_cast<void*>(next_);
    next_ += bytes;
    given[memory] = bytes;
    return memory;
  }
  void give_back(void* memory) noexcept override {
    left += given.at(memory);
    given.erase(memory);
  }
  void wait_idle() override { ++waits; }

  uint64_t left;
  int takes = 0, waits = 0;
  std::map<void*, uint64_t> given;

 private:
  uintptr_t next_ = uintptr_t{1} << 32;
};

TEST(MemoryPool, RoundsToPagesAndNeverDown) {
  EXPECT_EQ(MemoryPool::rounded(0), 512U);
  EXPECT_EQ(MemoryPool::rounded(513), 1024U);
  EXPECT_EQ(MemoryPool::rounded(kMiB), kMiB);
  EXPECT_EQ(MemoryPool::rounded(kMiB + 1), 2 * kMiB);
  EXPECT_EQ(MemoryPool::rounded(5 * kMiB), 6 * kMiB);
  constexpr uint64_t kMost = std::numeric_limits<uint64_t>::max();
  EXPECT_EQ(MemoryPool::rounded(kMost), kMost);
}

TEST(MemoryPool, GivesReleasedMemoryAgainWithoutTheSource) {
  FakeSource source(1000 * kMiB);
  MemoryPool pool(source);
  for (int round = 0; round < 3; ++round) {
    std::vector<void*> open;
    for (const uint64_t bytes : {uint64_t{100}, 3 * kMiB, 64 * kMiB, uint64_t{100}})
      open.push_back(pool.allocate(bytes));
    EXPECT_EQ(std::set<void*>(open.begin(), open.end()).size(), open.size());
    for (void* memory : open) EXPECT_TRUE(pool.release(memory));
  }
  EXPECT_EQ(source.takes, 4);
  EXPECT_EQ(pool.in_use(), 0U);
  EXPECT_EQ(pool.reserved(), 512 + 4 * kMiB + 64 * kMiB + 512);
}

TEST(MemoryPool, WaitsForTheDeviceBeforeItGivesMemoryAgain) {
  FakeSource source(100 * kMiB);
  MemoryPool pool(source);
  void* first = pool.allocate(kMiB);
  void* second = pool.allocate(kMiB);
  EXPECT_EQ(source.waits, 0);
  pool.release(first);
  pool.release(second);
  pool.allocate(kMiB);
  EXPECT_EQ(source.waits, 1);
  pool.allocate(kMiB);  // nothing was released since the device was idle
  EXPECT_EQ(source.waits, 1);
}

TEST(MemoryPool, TakesABlockOnlyWhereLittleOfItIsLost) {
  FakeSource source(1000 * kMiB);
  MemoryPool pool(source);
  void* large = pool.allocate(64 * kMiB);
  pool.release(large);
  void* small = pool.allocate(8 * kMiB);
  EXPECT_NE(small, large);
  EXPECT_EQ(pool.allocate(57 * kMiB), large);
  EXPECT_EQ(pool.in_use(), 8 * kMiB + 58 * kMiB);  // what was asked for, not what the block is
}

TEST(MemoryPool, GivesBackWhatItKeepsWhenTheSourceHasNoMore) {
  FakeSource source(100 * kMiB);
  MemoryPool pool(source);
  pool.release(pool.allocate(40 * kMiB));
  pool.release(pool.allocate(50 * kMiB));
  EXPECT_EQ(source.left, 10 * kMiB);
  EXPECT_NE(pool.allocate(80 * kMiB), nullptr);
  EXPECT_EQ(pool.reserved(), 80 * kMiB);
  EXPECT_EQ(source.left, 20 * kMiB);
}

TEST(MemoryPool, DoesNotKeepMoreThanItIsTold) {
  FakeSource source(100 * kMiB);
  MemoryPool pool(source);
  pool.keep_at_most(30 * kMiB);
  void* first = pool.allocate(20 * kMiB);
  void* second = pool.allocate(20 * kMiB);
  pool.release(first);
  EXPECT_EQ(pool.reserved(), 40 * kMiB);
  pool.release(second);
  EXPECT_EQ(pool.reserved(), 0U);
  EXPECT_EQ(source.left, 100 * kMiB);
}

TEST(MemoryPool, SaysWhenThereIsNone) {
  FakeSource source(10 * kMiB);
  MemoryPool pool(source);
  void* held = pool.allocate(8 * kMiB);
  EXPECT_EQ(pool.allocate(4 * kMiB), nullptr);
  EXPECT_EQ(pool.allocate(std::numeric_limits<uint64_t>::max()), nullptr);
  EXPECT_EQ(pool.in_use(), 8 * kMiB);
  EXPECT_TRUE(pool.release(held));
}

TEST(MemoryPool, RemembersTheMostThatWasInUse) {
  FakeSource source(100 * kMiB);
  MemoryPool pool(source);
  void* first = pool.allocate(10 * kMiB);
  void* second = pool.allocate(20 * kMiB);
  pool.release(second);
  EXPECT_EQ(pool.peak_in_use(), 30 * kMiB);
  pool.reset_peak();
  EXPECT_EQ(pool.peak_in_use(), 10 * kMiB);
  pool.release(first);
  EXPECT_EQ(pool.peak_in_use(), 10 * kMiB);
}

TEST(MemoryPool, RefusesWhatIsNotItsOwnOrWasReleasedBefore) {
  FakeSource source(100 * kMiB);
  MemoryPool pool(source);
  int elsewhere = 0;
  EXPECT_FALSE(pool.release(&elsewhere));
  void* memory = pool.allocate(1);
  EXPECT_TRUE(pool.release(memory));
  EXPECT_FALSE(pool.release(memory));
  EXPECT_EQ(pool.in_use(), 0U);
}

}  // namespace
}  // namespace bench
