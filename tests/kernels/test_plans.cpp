// How kernels for CUDA devices lay their work on threads: plain arithmetic, tested without a
// device.
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "kernels/cross_entropy/whole.h"
#include "kernels/cuda/rows.h"
#include "kernels/cuda/span.h"
#include "kernels/cuda/walk.h"
#include "kernels/dropout/words.h"
#include "kernels/embedding/pieces.h"
#include "kernels/linear/depth_plan.h"

namespace bench::kernels::test {
namespace {

TEST(WalkPlan, KeepsEveryThreadInItsColumnsAndReachesEveryElement) {
  for (const int64_t cols : {1, 3, 8, 12, 768, 767, 2304}) {
    for (const int64_t width : {1, 4, 8}) {
      for (const int64_t n : {1, 2, 7, 100}) {
        const auto plan = cuda::plan_walk(n * cols, cols, width, 512);
        const int64_t step = plan.stride * width;
        EXPECT_EQ(step % cols, 0) << cols << " " << width;
        EXPECT_EQ(plan.partial_rows(width, cols) * cols, step);
        EXPECT_EQ(plan.packs, n * cols / width);
        EXPECT_LT(plan.size - plan.packs * width, width);
      }
    }
  }
}

TEST(WalkPlan, TakesAboutSoManyThreadsButNoMoreThanThereIsWorkFor) {
  EXPECT_EQ(cuda::plan_walk(int64_t{1} << 30, 768, 8, 1000).stride, 960);
  EXPECT_EQ(cuda::plan_walk(3 * 768, 768, 8, 1000).stride, 3 * 96);
  EXPECT_EQ(cuda::plan_walk(10, 1, 4, 1000).stride, 3);
  EXPECT_EQ(cuda::plan_walk(0, 1, 4, 1000).stride, 1);
  EXPECT_EQ(cuda::plan_walk(1 << 20, 5000, 1, 1000).stride, 5000);  // not less than a row
}

// Every step of every tile by one block, and the parts of a tile in the order of the depth.
void expect_every_step_once(int tiles, int depth, int blocks) {
  const DepthPlan plan = plan_depth(tiles, depth, blocks);
  std::vector<std::vector<int>> made(static_cast<size_t>(tiles));
  std::vector<DepthPiece> parts(static_cast<size_t>(plan.slots()), DepthPiece{-1, 0, 0, 0});
  for (int block = 0; block < blocks; ++block) {
    DepthPieces pieces(plan, block);
    for (DepthPiece piece; pieces.next(piece);) {
      ASSERT_LT(piece.begin, piece.end);
      auto& steps = made.at(static_cast<size_t>(piece.tile));
      steps.resize(static_cast<size_t>(depth));
      for (int k = piece.begin; k < piece.end; ++k) ++steps.at(static_cast<size_t>(k));
      if (piece.slot < 0) continue;
      ASSERT_EQ(parts.at(static_cast<size_t>(piece.slot)).tile, -1) << "part written twice";
      parts[static_cast<size_t>(piece.slot)] = piece;
    }
  }
  for (const auto& steps : made) {
    ASSERT_EQ(steps, std::vector<int>(static_cast<size_t>(depth), 1));
  }
  for (int shared = 0; plan.has_parts() && shared < plan.rest; ++shared) {
    int at = 0;
    for_slots(plan, shared, [&](int slot) {
      const DepthPiece& part = parts.at(static_cast<size_t>(slot));
      ASSERT_EQ(part.tile, plan.first_shared_tile() + shared);
      ASSERT_EQ(part.begin, at);
      at = part.end;
    });
    ASSERT_EQ(at, depth);
  }
}

TEST(DepthPlan, MakesEveryStepOfEveryTileOnceAndAddsUpInOrder) {
  for (const int tiles : {1, 2, 5, 12, 48, 54, 72, 108, 131, 132, 133, 192, 300}) {
    for (const int depth : {1, 2, 3, 16, 128, 1024}) {
      for (const int blocks : {1, 7, 108, 132}) {
        SCOPED_TRACE(testing::Message() << tiles << " tiles, " << depth << " steps, " << blocks);
        expect_every_step_once(tiles, depth, blocks);
      }
    }
  }
}

TEST(DepthPlan, GivesBlocksAboutTheSameWork) {
  for (const int tiles : {12, 16, 48, 54, 64, 72, 144, 192}) {
    const DepthPlan plan = plan_depth(tiles, 1024, 132);
    int most = 0;
    for (int block = 0; block < 132; ++block) {
      DepthPieces pieces(plan, block);
      int steps = 0;
      for (DepthPiece piece; pieces.next(piece);) steps += piece.end - piece.begin;
      most = std::max(most, steps);
    }
    EXPECT_LE(most, 1.04 * tiles * 1024 / 132) << tiles;
  }
}

TEST(RowPlan, HasRoomForTheRowAndNoMoreWarpsThanItMay) {
  const cuda::RowLimits limits{.packs = 3, .warps = 16, .block_warps = 16};
  for (int64_t cols = 1; cols <= 16 * 32 * 3 * 8; cols += 7) {
    const auto plan = cuda::plan_rows(cols, 8, limits);
    ASSERT_TRUE(plan.fits) << cols;
    ASSERT_GE(int64_t{plan.packs} * plan.warps * 32 * 8, cols);
    ASSERT_TRUE(plan.packs >= 1 && plan.packs <= limits.packs) << cols;
    ASSERT_TRUE(plan.rows >= 1 && plan.rows * plan.warps <= limits.block_warps) << cols;
  }
  EXPECT_FALSE(cuda::plan_rows(16 * 32 * 3 * 8 + 1, 8, limits).fits);
}

TEST(RowPlan, LeavesNoThreadIdleWhereItCan) {
  const cuda::RowLimits limits{.packs = 4, .warps = 32, .block_warps = 8};
  for (const int64_t cols : {256, 768, 1024, 1536, 2048, 2304}) {
    const auto plan = cuda::plan_rows(cols, 8, limits);
    EXPECT_EQ(int64_t{plan.packs} * plan.warps * 32 * 8, cols);
  }
}

TEST(Span, TakesAllElementsAndBeginsItsPacksAtMultiplesOf16Bytes) {
  for (const int64_t bytes : {2, 4}) {
    for (int64_t shift = 0; shift < 16; shift += bytes) {
      for (int64_t size = 0; size < 40; ++size) {
        const uint64_t address = static_cast<uint64_t>(1024 + shift);
        const int64_t width = 16 / bytes;
        const auto span = cuda::span_of(address, size, bytes);
        EXPECT_TRUE(span.packs == 0 ||
                    (address + static_cast<uint64_t>(span.head * bytes)) % 16 == 0);
        EXPECT_TRUE(span.head < width && span.tail < width);
        std::vector<int> met(size);
        for (int64_t i = 0; i < span.packs * width; ++i) ++met[span.head + i];
        for (int64_t i = 0; i < span.head + span.tail; ++i) ++met[span.outside(i, width)];
        EXPECT_EQ(std::count(met.begin(), met.end(), 1), size);
      }
    }
  }
}

template <int N>
void expect_words(uint64_t position) {
  constexpr uint64_t kSeed = 0xfedcba9876543210;
  const auto keys = dropout_keys(kSeed);
  const auto expect = [&](const auto& words) {
    for (uint64_t k = 0; k < N; ++k) {
      EXPECT_EQ(words[k / 2] >> (k % 2 * 16) & 0xffff, dropout_bits(kSeed, position + k))
          << N << " from " << position;
    }
  };
  expect(dropout_words<N, false>(keys, position));
  if (position % N == 0) expect(dropout_words<N, true>(keys, position));
}

TEST(DropoutWords, AreTheBitsOfTheirElements) {
  for (const uint64_t from : {uint64_t{0}, (uint64_t{1} << 35) - 24, uint64_t{1} << 60}) {
    for (uint64_t position = from; position < from + 32; ++position) {
      expect_words<2>(position);
      expect_words<4>(position);
      expect_words<8>(position);
    }
  }
}

TEST(KeptRowPlan, KeepsWhatFitsAndTwoRowsWhereBothFit) {
  // Of compute capability 9.0 and 8.0.
  constexpr cuda::SharedMemory kNine{227 << 10, 228 << 10, 1 << 10};
  constexpr cuda::SharedMemory kEight{163 << 10, 164 << 10, 1 << 10};
  const auto row = cuda::plan_kept_row(50257, 2, 256, kNine);
  EXPECT_TRUE(row.fits);
  EXPECT_EQ(row.bytes, 6283 * 16);
  EXPECT_EQ(row.blocks, 2);
  EXPECT_EQ(cuda::plan_kept_row(50257, 2, 256, kEight).blocks, 1);
  const auto wide = cuda::plan_kept_row(50257, 4, 256, kNine);
  EXPECT_TRUE(wide.fits);
  EXPECT_EQ(wide.blocks, 1);
  EXPECT_FALSE(cuda::plan_kept_row(50257, 4, 256, kEight).fits);
  EXPECT_TRUE(cuda::plan_kept_row(((227 << 10) - 256) / 2, 2, 256, kNine).fits);
  EXPECT_FALSE(cuda::plan_kept_row(((227 << 10) - 256) / 2 + 1, 2, 256, kNine).fits);
}

// Tokens are sorted: so many of one row, then so many of the next.
void expect_pieces(const std::vector<int64_t>& counts) {
  int64_t start = 0, tokens = 0;
  for (const int64_t count : counts) tokens += count;
  std::vector<int> waiting(piece_slots(tokens));
  for (const int64_t count : counts) {
    int64_t before = -1;
    for (int64_t at = start; at < start + count; ++at) {
      const TokenPlace place{at, start};
      if (!place.begins_piece() || place.begins_segment()) continue;
      ASSERT_LT(place.slot(), piece_slots(tokens));
      EXPECT_EQ(++waiting[place.slot()], 1) << "two pieces in slot " << place.slot();
      EXPECT_EQ(place.begins_second_piece(), before < 0);
      EXPECT_TRUE(before < 0 || place.slot() == before + 1);
      before = place.slot();
    }
    start += count;
  }
}

TEST(TokenPieces, WaitInSlotsOfTheirOwnOneAfterTheOther) {
  constexpr int64_t kPiece = kPieceTokens;
  expect_pieces({1, 1, 5, 2 * kPiece + 1, kPiece + 1, kPiece, kPiece + 1, 10 * kPiece, 3});
  for (int64_t first = 0; first < 2 * kPiece; ++first) {
    expect_pieces({first, kPiece + 1, kPiece + 1, 3 * kPiece - 1, kPiece + 1});
  }
}

}  // namespace
}  // namespace bench::kernels::test
