#include "bench/device/cuda/staging_ring.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <random>
#include <vector>

namespace bench {
namespace {

// Fences are numbers from 1 on; they pass when a test says so, or when they are waited for.
class FakeFences final : public StagingRing::Fences {
 public:
  void* record(Stream) override { return reinterpret_cast<void*>(++recorded); }
  bool passed(void* fence) override { return reinterpret_cast<uintptr_t>(fence) <= passed_until; }
  void wait(void* fence) override {
    ++waits;
    passed_until = std::max(passed_until, reinterpret_cast<uintptr_t>(fence));
  }
  void forget(void*) noexcept override { ++forgotten; }

  uintptr_t recorded = 0, passed_until = 0;
  int waits = 0, forgotten = 0;
};

TEST(StagingRing, NeverWaitsWhileThereIsRoom) {
  FakeFences fences;
  StagingRing ring(4096, 1024, fences);
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(ring.take(1000).offset, 1024U * static_cast<unsigned>(i));
    ring.give(Stream{});
  }
  EXPECT_EQ(fences.waits, 0);
  EXPECT_EQ(ring.take(1000).offset, 0U);
  EXPECT_EQ(fences.waits, 1);
}

TEST(StagingRing, UsesWhatHasBeenReadWithoutWaiting) {
  FakeFences fences;
  StagingRing ring(1024, 512, fences);
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(ring.take(600).bytes, 600U);
    ring.give(Stream{});
    fences.passed_until = fences.recorded;
  }
  EXPECT_EQ(fences.waits, 0);
}

TEST(StagingRing, GivesALongCopyPieceByPiece) {
  FakeFences fences;
  StagingRing ring(4096, 1024, fences);
  size_t left = 10000;
  while (left > 0) {
    const StagingRing::Piece piece = ring.take(left);
    EXPECT_GE(piece.bytes, std::min<size_t>(left, 1024));
    ring.give(Stream{});
    left -= piece.bytes;
  }
  EXPECT_GT(fences.waits, 0);
}

TEST(StagingRing, TakesAPieceAgainThatWasNotGiven) {
  FakeFences fences;
  StagingRing ring(4096, 1024, fences);
  EXPECT_EQ(ring.take(2000).offset, 0U);
  EXPECT_EQ(ring.take(2000).offset, 0U);
}

TEST(StagingRing, ForgetsEveryFence) {
  FakeFences fences;
  {
    StagingRing ring(1024, 256, fences);
    for (int i = 0; i < 9; ++i) ring.take(300), ring.give(Stream{});
  }
  EXPECT_EQ(fences.forgotten, 9);
}

// Against a buffer whose bytes remember who reads them last.
TEST(StagingRing, NeverGivesBytesThatAreStillRead) {
  constexpr size_t kBytes = 8192;
  std::mt19937 random(7);
  for (int run = 0; run < 50; ++run) {
    FakeFences fences;
    StagingRing ring(kBytes, 1024, fences);
    std::vector<uintptr_t> reader(kBytes, 0);
    for (int i = 0; i < 500; ++i) {
      const size_t wanted = 1 + random() % (i % 7 == 0 ? 20000 : 700);
      const StagingRing::Piece piece = ring.take(wanted);
      ASSERT_GE(piece.bytes, std::min<size_t>(wanted, 1024));
      ASSERT_LE(piece.bytes, wanted);
      ASSERT_LE(piece.offset + piece.bytes, kBytes);
      for (size_t b = piece.offset; b < piece.offset + piece.bytes; ++b)
        ASSERT_LE(reader[b], fences.passed_until) << "byte " << b << ", copy " << i;
      ring.give(Stream{});
      std::fill_n(reader.begin() + static_cast<std::ptrdiff_t>(piece.offset), piece.bytes,
                  fences.recorded);
      if (random() % 3 == 0)
        fences.passed_until += random() % (fences.recorded - fences.passed_until + 1);
    }
  }
}

}  // namespace
}  // namespace bench
