// Vector code of packed products, read once for each instruction set.
#include "kernels/cpu/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace bench::kernels::cpu::HWY_NAMESPACE {

using Floats = hn::ScalableTag<float>;
constexpr int64_t kFloats = static_cast<int64_t>(hn::MaxLanes(Floats()));
// 16 registers hold the sums of 6 rows of 2 vectors beside what they are made of, 32 those of 4.
constexpr int kPanelVectors = HWY_MAX_BYTES >= 64 || HWY_ARCH_ARM ? 4 : 2;
constexpr int64_t kPanelColumns = kPanelVectors * kFloats;

#if HWY_TARGET != HWY_SCALAR
// to[k, r] for 4 values of k (kWidth apart) from 4 lines of 4.
template <int64_t kWidth, class T>
HWY_INLINE void transpose_4x4(const T* from, int64_t line_step, float* to) {
  const hn::CappedTag<float, 4> d;
  const auto a = load(d, from), b = load(d, from + line_step);
  const auto c = load(d, from + 2 * line_step), e = load(d, from + 3 * line_step);
  const auto ab_low = hn::InterleaveLower(d, a, b), ab_high = hn::InterleaveUpper(d, a, b);
  const auto ce_low = hn::InterleaveLower(d, c, e), ce_high = hn::InterleaveUpper(d, c, e);
  hn::StoreU(hn::ConcatLowerLower(d, ce_low, ab_low), d, to);
  hn::StoreU(hn::ConcatUpperUpper(d, ce_low, ab_low), d, to + kWidth);
  hn::StoreU(hn::ConcatLowerLower(d, ce_high, ab_high), d, to + 2 * kWidth);
  hn::StoreU(hn::ConcatUpperUpper(d, ce_high, ab_high), d, to + 3 * kWidth);
}
#endif

// A whole panel from lines that lie along k: the last lines that are no four one by one.
template <int64_t kWidth, class T>
HWY_INLINE void pack_along_depth(const T* from, int64_t line_step, int64_t depth, float* to) {
  int64_t k = 0;
#if HWY_TARGET != HWY_SCALAR
  constexpr int64_t kFours = kWidth / 4 * 4;
  for (; k + 4 <= depth; k += 4) {
    for (int64_t r = 0; r < kFours; r += 4) {
      transpose_4x4<kWidth>(from + r * line_step + k, line_step, to + k * kWidth + r);
    }
    for (int64_t r = kFours; r < kWidth; ++r) {
      const T* const line = from + r * line_step + k;
      for (int64_t i = 0; i < 4; ++i) to[(k + i) * kWidth + r] = static_cast<float>(line[i]);
    }
  }
#endif
  for (; k < depth; ++k) {
    for (int64_t r = 0; r < kWidth; ++r) {
      to[k * kWidth + r] = static_cast<float>(from[r * line_step + k]);
    }
  }
}

// A whole panel from lines that lie side by side.
template <int64_t kWidth, class T>
HWY_INLINE void pack_side_by_side(const T* from, int64_t depth_step, int64_t depth, float* to) {
  for (int64_t k = 0; k < depth; ++k) {
    const T* const row = from + k * depth_step;
    float* const out = to + k * kWidth;
    int64_t i = 0;
    const auto copy = [&](auto d) HWY_ATTR {
      const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
      for (; i + lanes <= kWidth; i += lanes) hn::StoreU(load(d, row + i), d, out + i);
    };
    copy(hn::CappedTag<float, 4>());
    copy(hn::CappedTag<float, 2>());
    copy(hn::CappedTag<float, 1>());
  }
}

// The last panel, where lines are missing.
template <int64_t kWidth, class T>
HWY_INLINE void pack_some(const Factor<T>& f, const T* from, int64_t lines, int64_t depth,
                          float* to) {
  for (int64_t k = 0; k < depth; ++k) {
    for (int64_t r = 0; r < lines; ++r) {
      to[k * kWidth + r] = static_cast<float>(from[r * f.line_step + k * f.depth_step]);
    }
    std::fill(to + k * kWidth + lines, to + (k + 1) * kWidth, 0.0f);
  }
}

template <int64_t kWidth, class T>
void pack(const Factor<T>& f, const Piece& p, float* to) {
  for (int64_t i = 0; i < p.lines; i += kWidth, to += kWidth * p.depth) {
    const T* const from = f.at + (p.line + i) * f.line_step + p.depth_begin * f.depth_step;
    if (p.lines - i < kWidth) {
      pack_some<kWidth>(f, from, p.lines - i, p.depth, to);
    } else if (f.depth_step == 1) {
      pack_along_depth<kWidth>(from, f.line_step, p.depth, to);
    } else {
      pack_side_by_side<kWidth>(from, f.depth_step, p.depth, to);
    }
  }
}

// sums[kPackedRows, kPanelColumns] of one panel of either factor. A function of its own with one
// loop: all registers are for the sums, none is spilled.
HWY_NOINLINE void multiply_panels(int64_t depth, const float* HWY_RESTRICT left,
                                  const float* HWY_RESTRICT right, float* HWY_RESTRICT sums) {
  const Floats d;
  hn::Vec<Floats> sum[kPackedRows][kPanelVectors];
#pragma GCC unroll 8
  for (int i = 0; i < kPackedRows; ++i) {
#pragma GCC unroll 8
    for (int j = 0; j < kPanelVectors; ++j) sum[i][j] = hn::Zero(d);
  }
  for (int64_t k = 0; k < depth; ++k, left += kPackedRows, right += kPanelColumns) {
    hn::Vec<Floats> row[kPanelVectors];
#pragma GCC unroll 8
    for (int j = 0; j < kPanelVectors; ++j) row[j] = hn::LoadU(d, right + j * kFloats);
#pragma GCC unroll 8
    for (int i = 0; i < kPackedRows; ++i) {
      const auto x = hn::Set(d, left[i]);
#pragma GCC unroll 8
      for (int j = 0; j < kPanelVectors; ++j) sum[i][j] = hn::MulAdd(x, row[j], sum[i][j]);
    }
  }
#pragma GCC unroll 8
  for (int i = 0; i < kPackedRows; ++i) {
#pragma GCC unroll 8
    for (int j = 0; j < kPanelVectors; ++j) {
      hn::StoreU(sum[i][j], d, sums + i * kPanelColumns + j * kFloats);
    }
  }
}

// A row of sums to the block's row i from column j on, with what is added.
template <class Out>
HWY_INLINE void finish_row(const PackedBlock<Out>& b, int64_t i, int64_t j, int64_t columns,
                           const float* sums) {
  const float* const from = b.from == nullptr ? nullptr : b.from + i * b.from_row + j;
  const Out* const bias = b.bias == nullptr ? nullptr : b.bias + j;
  Out* const to = b.to + i * b.to_row + j;
  for_vectors<float>(0, columns, [&](auto d, int64_t c) HWY_ATTR {
    auto sum = hn::LoadU(d, sums + c);
    if (from != nullptr) sum = hn::Add(sum, hn::LoadU(d, from + c));
    if (bias != nullptr) sum = hn::Add(sum, load(d, bias + c));
    store(sum, d, to + c);
  });
}

// The panels' product at row i and column j of the block. While it is made, the lines of c and
// `share` elements of the next panel come nearer.
template <class Out>
HWY_INLINE void multiply_tile(const PackedBlock<Out>& b, int64_t i, int64_t j, int64_t share) {
  const int64_t rows = std::min(kPackedRows, b.rows - i);
  const int64_t columns = std::min(kPanelColumns, b.columns - j);
  const float* const next = b.right + (j + kPanelColumns) * b.depth + i / kPackedRows * share;
  for (int64_t c = 0; c < share; c += 16) __builtin_prefetch(next + c, 0, 2);
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t c = 0; c < columns; c += 16) {
      __builtin_prefetch(b.to + (i + r) * b.to_row + j + c, 1);
    }
  }
  HWY_ALIGN float sums[kPackedRows * kPanelColumns];
  multiply_panels(b.depth, b.left + i * b.depth, b.right + j * b.depth, sums);
  for (int64_t r = 0; r < rows; ++r) {
    finish_row(b, i + r, j, columns, sums + r * kPanelColumns);
  }
}

// A panel of the right factor stays in the first-level cache while all of the left one pass by.
template <class Out>
void multiply_block(const PackedBlock<Out>& b) {
  const int64_t panels = (b.rows + kPackedRows - 1) / kPackedRows;
  const int64_t share = (b.depth * kPanelColumns / panels + 15) / 16 * 16;
  for (int64_t j = 0; j < b.columns; j += kPanelColumns) {
    for (int64_t i = 0; i < b.rows; i += kPackedRows) {
      multiply_tile(b, i, j, j + kPanelColumns < b.columns ? share : 0);
    }
  }
}

inline PackedParts packed_parts() {
  return {.panel_columns = kPanelColumns,
          .pack_left = pack<kPackedRows, float>,
          .pack_right = pack<kPanelColumns, float>,
          .pack_left_bf16 = pack<kPackedRows, bfloat16>,
          .pack_right_bf16 = pack<kPanelColumns, bfloat16>,
          .multiply = multiply_block<float>,
          .multiply_bf16 = multiply_block<bfloat16>};
}

}  // namespace bench::kernels::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
