#pragma once
// Index maths of attention in tiles on a GPU: where things lie and who works on what. Nothing of
// CUDA, so that tests hold it to the definitions on a CPU.

#include <cstdint>

namespace bench::kernels::tiles {

template <class T>
constexpr T ceil_div(T a, T b) {
  return (a + b - 1) / b;
}

// Rows of a tile in shared memory are `kChunks` pieces of 16 bytes. ldmatrix reads the same piece
// of eight successive rows, which therefore have to lie in different banks: low bits of a piece's
// place are exchanged by bits of its row, within groups of so many pieces.
template <int kChunks>
constexpr int swizzled_width() {
  static_assert(kChunks % 2 == 0);
  return kChunks % 8 == 0 ? 8 : kChunks % 4 == 0 ? 4 : 2;
}
template <int kChunks>
constexpr int swizzled(int row, int chunk) {
  constexpr int kWidth = swizzled_width<kChunks>();
  return chunk ^ (row / (8 / kWidth) % kWidth);
}

// Byte offset of a piece in its tile.
template <int kChunks>
constexpr int chunk_offset(int row, int chunk) {
  return (row * kChunks + swizzled<kChunks>(row, chunk)) * 16;
}

// The piece of a 16 x 16 square that a lane points ldmatrix at: the four 8 x 8 squares it loads are
// ordered down the first column first, or along the first row first.
struct LanePlace {
  int row, chunk;
};
constexpr LanePlace down_first(int lane) { return {lane % 16, lane / 16}; }
constexpr LanePlace along_first(int lane) { return {lane % 8 + lane / 16 * 8, lane / 8 % 2}; }

// Element i of the four that a lane holds of a 16 x 8 accumulator of mma.m16n8k16 (PTX ISA, matrix
// fragments): two neighbours of one row, then two of the row eight below.
struct Place {
  int row, column;
};
constexpr Place accumulator_place(int lane, int i) {
  return {lane / 4 + i / 2 * 8, lane % 4 * 2 + i % 2};
}

// A tile [kRows, kColumns] as eight warps hold it in accumulators: 32 rows a warp, warps side by
// side in the columns; of a warp two squares of 16 rows by kTiles of eight columns.
template <int kRows, int kColumns>
struct TileInWarps {
  static constexpr int kThreads = 256, kSize = kRows * kColumns;
  static constexpr int kWarpsInRow = kThreads / kRows;
  static constexpr int kTiles = kColumns / 8 / kWarpsInRow;
  static_assert(kRows % 32 == 0 && kThreads % kRows == 0 && kColumns % (8 * kWarpsInRow) == 0);

  static constexpr int first_row(int warp) { return warp / kWarpsInRow * 32; }
  static constexpr int first_column(int warp) { return warp % kWarpsInRow * kTiles * 8; }

  // Where the four elements that a thread holds of square m and tile n lie in memory, so that those
  // of a warp lie side by side.
  static constexpr int offset(int m, int n, int thread) {
    return ((m * kTiles + n) * kThreads + thread) * 4;
  }

  // Of the elements [row, column] and [row, column + 1], column even.
  static constexpr int offset_of(int row, int column) {
    const int warp = row / 32 * kWarpsInRow + column / (kTiles * 8);
    const int lane = row % 8 * 4 + column % 8 / 2;
    return offset(row % 32 / 16, column / 8 % kTiles, warp * 32 + lane) + row % 16 / 8 * 2;
  }
};

// The same as two groups of four warps hold it, 16 rows a warp by 64 columns: the groups one below
// the other, or side by side.
template <int kRows, int kColumns>
struct TileInGroups {
  static constexpr int kThreads = 256, kSize = kRows * kColumns, kTiles = 8;
  static_assert((kRows == 128 && kColumns == 64) || (kRows == 64 && kColumns == 128));

  static constexpr int first_row(int warp) { return warp * 16 % kRows; }
  static constexpr int first_column(int warp) { return warp * 16 / kRows * 64; }

  static constexpr int offset(int n, int thread) { return (n * kThreads + thread) * 4; }

  static constexpr int offset_of(int row, int column) {
    const int warp = row / 16 + column / 64 * (kRows / 16);
    const int lane = row % 8 * 4 + column % 8 / 2;
    return offset(column % 64 / 8, warp * 32 + lane) + row % 16 / 8 * 2;
  }
};

// Which head of which sequence (`task`) and which tile of it a thread block computes. The tasks are
// taken in sections, whose keys and values stay in the second-level cache; in a section the long
// rows of tiles come first, so that the short ones fill the end.
struct Share {
  int task, tile;
};
constexpr Share share_of(int block, int tasks, int tiles_per_task, int section) {
  const int first = block / (section * tiles_per_task) * section;
  const int width = section < tasks - first ? section : tasks - first;
  const int place = block - first * tiles_per_task;
  return {first + place % width, tiles_per_task - 1 - place / width};
}

// Keys that a tile of queries meets, and the first tile of queries that a tile of keys meets.
constexpr int attended_keys(int first_query, int queries, int seq) {
  return first_query + queries < seq ? first_query + queries : seq;
}
constexpr int first_query_tile(int first_key, int queries) { return first_key / queries; }

// The backward's tiles of keys of one task are dealt to groups, to and fro, since the first meet
// the most queries. A group adds up its gradient of the queries in order and on its own, and the
// groups' sums are added in order: the same bits from run to run.
constexpr int group_of(int tile, int groups) {
  const int place = tile % groups;
  return tile / groups % 2 == 0 ? place : groups - 1 - place;
}

// Pairs of a tile of keys and a tile of queries that a group computes.
constexpr int64_t work_of_group(int group, int tiles, int groups) {
  int64_t work = 0;
  for (int round = 0; round * groups < tiles; ++round) {
    const int tile = round * groups + (round % 2 == 0 ? group : groups - 1 - group);
    if (tile < tiles) work += tiles - tile;
  }
  return work;
}

// The most that one has. Two rounds give each group the same, and what is left over begins with
// group 0 and returns with the last.
constexpr int64_t busiest_group(int tiles, int groups) {
  const int64_t first = work_of_group(0, tiles, groups);
  const int64_t last = work_of_group(groups - 1, tiles, groups);
  return first > last ? first : last;
}

// How many groups, `most` or fewer: what takes the least time if `slots` thread blocks run at once.
// Each group costs besides its share the sum of its gradient, about an eighth of a pair's time a
// tile.
constexpr int choose_groups(int64_t tasks, int tiles, int64_t slots, int most) {
  constexpr int64_t kWavesWorthTrying = 8;
  int best = 1;
  int64_t least = INT64_MAX;
  for (int groups = 1; groups <= tiles && groups <= most; ++groups) {
    if (groups > 1 && tasks * groups > kWavesWorthTrying * slots) break;
    const int64_t waves = ceil_div(tasks * groups, slots);
    const int64_t time =
        8 * waves * busiest_group(tiles, groups) + ceil_div(tasks * groups * tiles, slots);
    if (time < least) {
      least = time;
      best = groups;
    }
  }
  return best;
}

// Of groups 0 to groups - 1, how many meet queries from `first_query`: group g begins with tile g
// of keys.
constexpr int groups_that_meet(int first_query, int queries, int keys, int groups) {
  const int tiles = (first_query + queries - 1) / keys + 1;
  return tiles < groups ? tiles : groups;
}

}  // namespace bench::kernels::tiles
