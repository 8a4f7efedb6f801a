#pragma once
// How threads walk over an array [rows, cols]: in steps that are whole rows, so that each meets the
// same columns all the way and keeps in registers what belongs to them: a bias, a column's sum.

#include <algorithm>
#include <cstdint>
#include <numeric>

namespace bench::kernels::cuda {

// The array is taken as packs of `width` neighbouring elements, which may reach over the end of a
// row. Thread t has the packs t, t + stride, t + 2 stride, ...; those from `stride` on have none.
struct WalkPlan {
  int64_t size;    // elements
  int64_t packs;   // whole ones; what is left of the array is part of one more
  int64_t stride;  // in packs; stride · width is a multiple of cols

  // Element k of a thread's first pack is in column (thread · width + k) mod cols, and so is that
  // of all its packs: seen as [partial_rows, cols], what the threads keep adds up by columns.
  int64_t partial_rows(int64_t width, int64_t cols) const { return stride * width / cols; }
};

// For about so many threads, not more than there are packs for. cols >= 1.
inline WalkPlan plan_walk(int64_t size, int64_t cols, int64_t width, int64_t threads) {
  const int64_t period = cols / std::gcd(cols, width);  // packs until columns repeat
  const int64_t packs = (size + width - 1) / width;
  const int64_t most = std::max<int64_t>(1, (packs + period - 1) / period);
  const int64_t periods = std::clamp<int64_t>(threads / period, 1, most);
  return {.size = size, .packs = size / width, .stride = periods * period};
}

}  // namespace bench::kernels::cuda
