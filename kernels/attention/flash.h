#pragma once
// The tiles of flash attention, and what its sources share.

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

// For one instruction set: query tiles first, first + step, … of one head, and one head.
template <class T>
struct FlashParts {
  void (*forward)(const AttentionForward<T>&, int64_t task, int64_t first, int64_t step);
  void (*backward)(const AttentionBackward<T>&, int64_t task);
};
using FlashTables = std::tuple<FlashParts<float>, FlashParts<double>, FlashParts<bfloat16>>;

}  // namespace bench::kernels::cpu
