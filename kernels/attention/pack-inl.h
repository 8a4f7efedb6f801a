// Rows of a head (`rows` of d elements, row_step apart) copied to where the micro-kernel reads
// them without gaps. What the copies hold beyond the rows and columns there are is zero.
#include <hwy/cache_control.h>

#include "kernels/attention/product-inl.h"

HWY_BEFORE_NAMESPACE();
namespace bench::kernels::cpu::HWY_NAMESPACE {

// Asks for a row that comes soon after row r: the rows of a head are too far apart, and too short,
// for the processor to see them coming.
template <class T>
HWY_INLINE void prefetch_after(const T* rows, int64_t row_step, int64_t r, int64_t count,
                               int64_t d) {
  constexpr int64_t kAhead = 12;
  const T* const row = rows + std::min(r + kAhead, count - 1) * row_step;
  for (int64_t i = 0; i < d; i += kLineElements<T>) hwy::Prefetch(row + i);
}

// Four (of double: two) rows by as many columns.
template <class T, class W>
HWY_INLINE void transpose_square(const T* from, [[maybe_unused]] int64_t row_step, W* to,
                                 [[maybe_unused]] int64_t to_row) {
#if HWY_TARGET == HWY_SCALAR
  *to = static_cast<W>(*from);
#else
  const hn::CappedTag<W, 16 / sizeof(W)> d;
  const auto a = load(d, from), b = load(d, from + row_step);
  if constexpr (sizeof(W) == 8) {
    hn::StoreU(hn::InterleaveLower(d, a, b), d, to);
    hn::StoreU(hn::InterleaveUpper(d, a, b), d, to + to_row);
  } else {
    const auto c = load(d, from + 2 * row_step), e = load(d, from + 3 * row_step);
    const auto ab = hn::InterleaveLower(d, a, b), ce = hn::InterleaveLower(d, c, e);
    const auto ab2 = hn::InterleaveUpper(d, a, b), ce2 = hn::InterleaveUpper(d, c, e);
    hn::StoreU(hn::ConcatLowerLower(d, ce, ab), d, to);
    hn::StoreU(hn::ConcatUpperUpper(d, ce, ab), d, to + to_row);
    hn::StoreU(hn::ConcatLowerLower(d, ce2, ab2), d, to + 2 * to_row);
    hn::StoreU(hn::ConcatUpperUpper(d, ce2, ab2), d, to + 3 * to_row);
  }
#endif
}

// Transposed: to[i, k, r] is element k of row i · kBlock + r, for as many blocks as there are rows.
// The right factor of a product over d.
template <class T, class W>
HWY_NOINLINE void pack_columns(const T* from, int64_t row_step, int64_t rows, int64_t d, W* to) {
  constexpr int64_t kWidth = kBlock<W>, kSquare = HWY_TARGET == HWY_SCALAR ? 1 : 16 / sizeof(W);
  for (int64_t first = 0; first < rows; first += kWidth, to += kWidth * d) {
    for (int64_t r = 0; r < kWidth; r += kSquare) {
      const T* const row = from + (first + r) * row_step;
      for (int64_t i = r; i < r + kSquare; ++i) {
        prefetch_after(from, row_step, first + i, rows, d);
      }
      const bool whole = first + r + kSquare <= rows;
      int64_t k = 0;
      for (; whole && k + kSquare <= d; k += kSquare) {
        transpose_square(row + k, row_step, to + k * kWidth + r, kWidth);
      }
      for (; k < d; ++k) {
        for (int64_t i = 0; i < kSquare; ++i) {
          const bool there = first + r + i < rows;
          to[k * kWidth + r + i] = there ? static_cast<W>(row[i * row_step + k]) : W(0);
        }
      }
    }
  }
}

// factor times the rows as they are, row_distance apart. Either factor of a product over rows, or
// the left one of a product over d.
template <class T, class W>
HWY_NOINLINE void pack_rows(const T* from, int64_t row_step, int64_t rows, int64_t d, W factor,
                            W* to) {
  const int64_t distance = row_distance<W>(d);
  for (int64_t r = 0; r < rows; ++r, to += distance) {
    prefetch_after(from, row_step, r, rows, d);
    const T* const row = from + r * row_step;
    for_vectors<W>(0, d, [&](auto tag, int64_t i) HWY_ATTR {
      hn::StoreU(hn::Mul(load(tag, row + i), hn::Set(tag, factor)), tag, to + i);
    });
    std::fill(to + d, to + distance, W(0));
  }
}

}  // namespace bench::kernels::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
