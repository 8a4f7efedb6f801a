#include "parallel/comm/mpi/pieces.h"

#include <gtest/gtest.h>

#include <limits>
#include <utility>
#include <vector>

namespace bench {
namespace {

using Pieces = std::vector<std::pair<int64_t, int>>;

Pieces pieces_of(int64_t count, int64_t most) {
  Pieces pieces;
  in_pieces(
      count, [&](int64_t first, int n) { pieces.emplace_back(first, n); }, most);
  return pieces;
}

TEST(InPieces, CoverTheVectorWithoutGapOrOverlap) {
  EXPECT_EQ(pieces_of(9, 4), (Pieces{{0, 4}, {4, 4}, {8, 1}}));
  EXPECT_EQ(pieces_of(8, 4), (Pieces{{0, 4}, {4, 4}}));
  EXPECT_EQ(pieces_of(3, 4), (Pieces{{0, 3}}));
}

TEST(InPieces, AnEmptyVectorIsStillACall) { EXPECT_EQ(pieces_of(0, 4), (Pieces{{0, 0}})); }

TEST(InPieces, NoPieceIsTooLongForAnInt) {
  static_assert(kMostElements <= std::numeric_limits<int>::max());
  const int64_t count = 3 * kMostElements + 5;
  const Pieces pieces = pieces_of(count, kMostElements);
  ASSERT_EQ(pieces.size(), 4U);
  EXPECT_EQ(pieces.back(), std::pair(3 * kMostElements, 5));
}

}  // namespace
}  // namespace bench
