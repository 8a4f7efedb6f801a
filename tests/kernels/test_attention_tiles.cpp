// The index maths of attention in tiles on GPUs, held to the definitions of the PTX ISA.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <set>
#include <utility>
#include <vector>

#include "kernels/attention/tiles.h"

namespace bench::kernels::tiles {
namespace {

template <int kChunks>
void expect_swizzling() {
  for (int row = 0; row < 64; ++row) {
    std::set<int> places;
    for (int chunk = 0; chunk < kChunks; ++chunk) places.insert(swizzled<kChunks>(row, chunk));
    EXPECT_EQ(static_cast<int>(places.size()), kChunks) << kChunks << ", row " << row;
    EXPECT_EQ(*places.begin(), 0);
    EXPECT_EQ(*places.rbegin(), kChunks - 1);
  }
  for (int first = 0; first < 64; first += 8) {
    for (int chunk = 0; chunk < kChunks; ++chunk) {
      std::set<int> banks;  // groups of four: 16 of 128 bytes
      for (int row = first; row < first + 8; ++row) {
        banks.insert(chunk_offset<kChunks>(row, chunk) / 16 % 8);
      }
      EXPECT_EQ(banks.size(), 8u) << kChunks << ", rows from " << first << ", piece " << chunk;
    }
  }
}

TEST(Swizzling, KeepsRowsWholeAndSpreadsEightOverAllBanks) {
  expect_swizzling<2>();
  expect_swizzling<6>();
  expect_swizzling<8>();
  expect_swizzling<10>();
  expect_swizzling<12>();
  expect_swizzling<16>();
}

// What threads side by side load moves by constants from row to row and from piece to piece.
template <int kChunks>
void expect_steps() {
  constexpr int kWidth = swizzled_width<kChunks>();
  for (int row = 0; row < 16; ++row) {
    for (int chunk = 0; chunk < kWidth; ++chunk) {
      const int offset = chunk_offset<kChunks>(row, chunk);
      EXPECT_EQ(chunk_offset<kChunks>(row + 8, chunk), offset + 8 * kChunks * 16);
      for (int c = kWidth; c < kChunks; c += kWidth) {
        EXPECT_EQ(chunk_offset<kChunks>(row, chunk + c), offset + c * 16);
      }
    }
  }
}

TEST(Swizzling, MovesByConstantsBetweenItsGroups) {
  expect_steps<8>();
  expect_steps<10>();
  expect_steps<12>();
  expect_steps<16>();
}

using Square = std::array<std::array<int, 16>, 16>;

// ldmatrix: lane 8 i + j points at row j of square i, and lane 4 g + t gets elements 2t and 2t + 1
// of row g; of the transpose where `transposed`.
std::array<int, 2> loaded(const Square& from, LanePlace (*place)(int), int square, bool transposed,
                          int lane) {
  const auto element = [&](int row, int column) {
    const LanePlace at = place(8 * square + row);
    return from[static_cast<size_t>(at.row)][static_cast<size_t>(at.chunk * 8 + column)];
  };
  const int g = lane / 4, t = lane % 4;
  if (transposed) return {element(2 * t, g), element(2 * t + 1, g)};
  return {element(g, 2 * t), element(g, 2 * t + 1)};
}

Square numbered() {
  Square s;
  for (size_t r = 0; r < 16; ++r) {
    for (size_t c = 0; c < 16; ++c) s[r][c] = static_cast<int>(16 * r + c);
  }
  return s;
}

// mma.m16n8k16, fragment of A: register i holds rows g (+ 8 for odd i) and columns 2t, 2t + 1 (+ 8
// from i = 2 on).
TEST(Fragments, OfTheLeftOperandAreLoadedFromRows) {
  const Square s = numbered();
  for (int lane = 0; lane < 32; ++lane) {
    for (int i = 0; i < 4; ++i) {
      const int row = lane / 4 + i % 2 * 8, column = lane % 4 * 2 + i / 2 * 8;
      EXPECT_EQ(loaded(s, down_first, i, false, lane),
                (std::array{16 * row + column, 16 * row + column + 1}));
    }
  }
}

TEST(Fragments, OfTheLeftOperandAreLoadedFromItsTranspose) {
  const Square s = numbered();  // [k][m]
  for (int lane = 0; lane < 32; ++lane) {
    for (int i = 0; i < 4; ++i) {
      const int m = lane / 4 + i % 2 * 8, k = lane % 4 * 2 + i / 2 * 8;
      EXPECT_EQ(loaded(s, along_first, i, true, lane), (std::array{16 * k + m, 16 * (k + 1) + m}));
    }
  }
}

// Fragment of B: register i holds rows k = 2t, 2t + 1 (+ 8 for i = 1) of column n = g. Four squares
// are two of them: columns 0 to 7, then 8 to 15.
TEST(Fragments, OfTheRightOperandAreLoadedFromRowsAndFromColumns) {
  const Square s = numbered();
  for (int lane = 0; lane < 32; ++lane) {
    for (int i = 0; i < 4; ++i) {
      const int k = lane % 4 * 2 + i % 2 * 8, n = lane / 4 + i / 2 * 8;
      EXPECT_EQ(loaded(s, down_first, i, true, lane),  // [k][n]
                (std::array{16 * k + n, 16 * (k + 1) + n}));
      EXPECT_EQ(loaded(s, along_first, i, false, lane),  // [n][k]
                (std::array{16 * n + k, 16 * n + k + 1}));
    }
  }
}

template <int kRows, int kColumns>
void expect_places() {
  using Tile = TileInWarps<kRows, kColumns>;
  std::set<int> seen;
  for (int thread = 0; thread < Tile::kThreads; ++thread) {
    for (int m = 0; m < 2; ++m) {
      for (int n = 0; n < Tile::kTiles; ++n) {
        for (int i = 0; i < 4; i += 2) {
          const Place place = accumulator_place(thread % 32, i);
          const int row = Tile::first_row(thread / 32) + 16 * m + place.row;
          const int column = Tile::first_column(thread / 32) + 8 * n + place.column;
          const int offset = Tile::offset(m, n, thread) + i;
          EXPECT_EQ(Tile::offset_of(row, column), offset) << row << ", " << column;
          EXPECT_TRUE(seen.insert(offset).second);
          EXPECT_LT(offset + 1, Tile::kSize);
        }
      }
    }
  }
  EXPECT_EQ(static_cast<int>(seen.size()), Tile::kSize / 2);
}

TEST(TileInWarps, HasOnePlaceForEachElement) {
  expect_places<128, 64>();
  expect_places<64, 96>();
  expect_places<64, 128>();
}

TEST(Shares, GiveEachTileOnceAndInASectionTheLongRowsFirst) {
  for (const int tasks : {1, 3, 7, 8}) {
    for (const int tiles : {1, 2, 5}) {
      for (const int section : {1, 2, 3, 8}) {
        std::set<std::pair<int, int>> seen;
        int before = 0, section_before = -1;
        for (int block = 0; block < tasks * tiles; ++block) {
          const Share share = share_of(block, tasks, tiles, section);
          EXPECT_TRUE(seen.emplace(share.task, share.tile).second);
          EXPECT_LT(share.task, tasks);
          EXPECT_LT(share.tile, tiles);
          if (share.task / section == section_before) {
            EXPECT_LE(share.tile, before);
          }
          section_before = share.task / section;
          before = share.tile;
        }
      }
    }
  }
}

// Pairs of query and key that the loops of forward and backward meet.
void expect_all_pairs(int seq, int queries, int keys) {
  const int query_tiles = ceil_div(seq, queries), key_tiles = ceil_div(seq, keys);
  for (int i = 0; i < query_tiles; ++i) {
    const int last_query = std::min(seq, (i + 1) * queries) - 1;
    EXPECT_EQ(attended_keys(i * queries, queries, seq), last_query + 1);
    for (int tile = 0; tile < key_tiles; ++tile) {
      const bool meet = tile * keys <= last_query;
      EXPECT_EQ(tile * keys < attended_keys(i * queries, queries, seq), meet);
      // Padding behind the last query may be met in vain, but nothing else.
      EXPECT_LE(meet, i >= first_query_tile(tile * keys, queries));
    }
  }
}

TEST(CausalRanges, CoverEveryPairOfQueryAndEarlierKey) {
  for (const int seq : {1, 3, 17, 63, 64, 65, 127, 128, 129, 300, 1023}) {
    expect_all_pairs(seq, 128, 64);
    expect_all_pairs(seq, 128, 128);
    expect_all_pairs(seq, 64, 128);
    expect_all_pairs(seq, 32, 32);
  }
}

TEST(Groups, ShareOutAllTilesAndKnowTheBusiest) {
  for (int tiles = 1; tiles <= 40; ++tiles) {
    for (int groups = 1; groups <= tiles; ++groups) {
      std::vector<int64_t> work(static_cast<size_t>(groups));
      std::vector<int> first(static_cast<size_t>(groups), -1);
      for (int tile = 0; tile < tiles; ++tile) {
        const auto group = static_cast<size_t>(group_of(tile, groups));
        work.at(group) += tiles - tile;
        if (first[group] < 0) first[group] = tile;
      }
      for (int g = 0; g < groups; ++g) {
        EXPECT_EQ(work_of_group(g, tiles, groups), work[static_cast<size_t>(g)]);
        EXPECT_EQ(first[static_cast<size_t>(g)], g);
      }
      EXPECT_EQ(busiest_group(tiles, groups), *std::max_element(work.begin(), work.end()));
    }
  }
}

TEST(Groups, ThatMeetATileOfQueriesAreTheFirst) {
  for (const auto& [queries, keys] : {std::pair{128, 128}, {64, 128}, {64, 64}}) {
    for (int seq : {1, 64, 65, 300, 1024}) {
      const int key_tiles = ceil_div(seq, keys);
      for (int groups = 1; groups <= key_tiles; ++groups) {
        for (int i = 0; i * queries < seq; ++i) {
          int meet = 0;
          for (int g = 0; g < groups; ++g) meet += first_query_tile(g * keys, queries) <= i;
          EXPECT_EQ(groups_that_meet(i * queries, queries, keys, groups), meet);
        }
      }
    }
  }
}

TEST(Groups, AreAsManyAsFillTheDevice) {
  EXPECT_EQ(choose_groups(128, 8, 132, 100), 1);  // one wave of whole heads
  EXPECT_EQ(choose_groups(16, 64, 132, 100), 8);
  EXPECT_EQ(choose_groups(16, 64, 132, 3), 3);  // no memory for more
  EXPECT_EQ(choose_groups(1, 1, 132, 100), 1);
  EXPECT_EQ(choose_groups(1000, 64, 132, 100), 1);
  EXPECT_GT(choose_groups(1, 64, 132, 100), 32);
}

}  // namespace
}  // namespace bench::kernels::tiles
