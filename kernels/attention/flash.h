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

// Distance of two rows of a tile of scores: an odd number of cache lines.
template <class T>
constexpr int64_t kScoreRow = kKeyTile + 64 / static_cast<int64_t>(sizeof(T));

constexpr int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

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
  static int64_t padded(int64_t count) { return ceil_div(count, kLine) * kLine; }

 private:
  static constexpr int64_t kLine = 64 / static_cast<int64_t>(sizeof(T));
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
