// Rows of a head (`rows` of d elements, row_step apart) copied to where the micro-kernel reads
// them without gaps. What the copies hold beyond the rows and columns there are is zero.
#include "kernels/attention/product-inl.h"

HWY_BEFORE_NAMESPACE();
namespace bench::kernels::cpu::HWY_NAMESPACE {

// Transposed: to[i, k, r] is factor · element k of row i · width + r, for as many groups of `width`
// rows as there are. The left factor in panels, or the right factor of a product over d.
template <int64_t kWidth, class T, class W>
HWY_INLINE void pack_transposed(const T* from, int64_t row_step, int64_t rows, int64_t d, W factor,
                                W* to) {
  for (int64_t first = 0; first < rows; first += kWidth, to += kWidth * d) {
    const int64_t here = std::min(kWidth, rows - first);
    for (int64_t r = 0; r < here; ++r) {
      const T* const row = from + (first + r) * row_step;
      for (int64_t k = 0; k < d; ++k) to[k * kWidth + r] = factor * static_cast<W>(row[k]);
    }
    for (int64_t r = here; r < kWidth; ++r) {
      for (int64_t k = 0; k < d; ++k) to[k * kWidth + r] = 0;
    }
  }
}

// As they are, in the column blocks of for_blocks: [block, capacity, width of the block]. The right
// factor of a product over rows.
template <class T, class W>
HWY_INLINE void pack_rows(const T* from, int64_t row_step, int64_t rows, int64_t d,
                          int64_t capacity, W* to) {
  for_blocks(vectors_for<W>(d), [&](int64_t first, auto count) HWY_ATTR {
    const int64_t width = count * kLanes<W>, column = first * kLanes<W>;
    const int64_t columns = std::min(width, d - column);
    W* block = to + column * capacity;
    for (int64_t r = 0; r < rows; ++r, block += width) {
      const T* const row = from + r * row_step + column;
      for_vectors<W>(0, columns, [&](auto tag, int64_t i) HWY_ATTR {
        hn::StoreU(load(tag, row + i), tag, block + i);
      });
      std::fill(block + columns, block + width, W(0));
    }
  });
}

}  // namespace bench::kernels::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
