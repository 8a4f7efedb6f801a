#pragma once
// How rows are laid on threads that keep them in registers.

#include <algorithm>
#include <cstdint>

namespace bench::kernels::cuda {

// A row is packs of neighbouring elements. Each of its `warps` warps has `packs` times 32 of them
// in a row, lane by lane.
struct RowPlan {
  bool fits;  // else the row is too long to be kept
  int packs, warps;
  int rows;  // of a block
};

struct RowLimits {
  int packs;        // that a thread can keep
  int warps;        // that a row may have
  int block_warps;  // about so many a block
};

// For rows of `cols` elements, packs of `width`. Where some number of packs leaves no thread
// without one, the largest such.
inline RowPlan plan_rows(int64_t cols, int width, const RowLimits& limits) {
  constexpr int64_t kLanes = 32;
  const auto divided_up = [](int64_t a, int64_t b) { return (a + b - 1) / b; };
  const int64_t packs = std::max<int64_t>(1, divided_up(cols, width));
  int64_t warps = divided_up(packs, kLanes * limits.packs);
  for (int64_t each = limits.packs; each > 0; --each) {
    if (packs % (kLanes * each) != 0 || packs / (kLanes * each) > limits.warps) continue;
    warps = packs / (kLanes * each);
    break;
  }
  return {.fits = warps <= limits.warps,
          .packs = static_cast<int>(divided_up(packs, kLanes * warps)),
          .warps = static_cast<int>(std::min<int64_t>(warps, limits.warps)),
          .rows = static_cast<int>(std::max<int64_t>(1, limits.block_warps / warps))};
}

}  // namespace bench::kernels::cuda
