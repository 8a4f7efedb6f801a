#pragma once
// The tiles of flash attention, and what its sources share.

#include <algorithm>
#include <cstdint>
#include <tuple>

#include "kernels/args.h"
#include "kernels/cpu/scratch.h"

namespace bench::kernels::cpu {

// Rows that one product of the micro-kernel computes: with 6 rows of 2 vectors the 16 registers of
// AVX2 hold all sums, two vectors of one factor and one element of the other.
inline constexpr int64_t kPanel = 6;

// A tile's extents: multiples of a panel and of a block of vectors for every instruction set, so
// that a query and a key panel on the diagonal hold the same positions. Chosen so that the tiles of
// one step stay in a second-level cache of 512 KiB at head sizes up to 128.
inline constexpr int64_t kQueryTile = 96, kKeyTile = 192;

constexpr int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

// Elements of a cache line.
template <class T>
constexpr int64_t kLineElements = 64 / static_cast<int64_t>(sizeof(T));

// Distance of two rows of `size` elements in packed memory: an odd number of cache lines, so that
// the rows of a column spread over all sets of a cache.
template <class T>
constexpr int64_t row_distance(int64_t size) {
  return (ceil_div(size, kLineElements<T>) | 1) * kLineElements<T>;
}

// The same for a tile of scores.
template <class T>
constexpr int64_t kScoreRow = row_distance<T>(kKeyTile);

// Successive pieces of one scratch memory, each 64-byte aligned.
template <class T>
class Pieces {
 public:
  explicit Pieces(T* memory) : next_(memory) {}
  T* take(int64_t count) {
    T* const taken = next_;
    next_ += padded(count);
    return taken;
  }
  static int64_t padded(int64_t count) {
    return ceil_div(count, kLineElements<T>) * kLineElements<T>;
  }

 private:
  T* next_;
};

// The tiles of keys of a head form up to so many groups. Each adds up gradients of the queries on
// its own, and those sums are added in order: the same bits, whether one thread or several share
// the head.
inline constexpr int64_t kKeyGroups = 4;

constexpr int64_t key_groups(int64_t seq) { return std::min(kKeyGroups, ceil_div(seq, kKeyTile)); }

// To and fro, since the first tiles meet the most queries.
constexpr int64_t group_of(int64_t tile, int64_t groups) {
  const int64_t place = tile % groups;
  return tile / groups % 2 == 0 ? place : groups - 1 - place;
}

// Elements of the gradient of a head's queries, as the groups add it up.
template <class W>
constexpr int64_t query_grad_size(int64_t seq, int64_t d) {
  return ceil_div(seq, kQueryTile) * kQueryTile * row_distance<W>(d);
}

// For one instruction set. A task is a head of a sequence.
template <class T>
struct FlashParts {
  // Query tiles first, first + step, …
  void (*forward)(const AttentionForward<T>&, int64_t task, int64_t first, int64_t step);
  // A whole head; or one group, whose gradient of the queries goes to dq, and then the sum of all
  // groups' dq (which changes the first).
  void (*backward)(const AttentionBackward<T>&, int64_t task);
  void (*backward_group)(const AttentionBackward<T>&, int64_t task, int64_t group, Wide<T>* dq);
  void (*backward_sum)(const AttentionBackward<T>&, int64_t task, Wide<T>* dq);
};
using FlashTables = std::tuple<FlashParts<float>, FlashParts<double>, FlashParts<bfloat16>>;

}  // namespace bench::kernels::cpu
