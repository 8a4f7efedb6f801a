// The micro-kernel of flash attention: products of packed tiles.
#include <type_traits>

#include "kernels/attention/flash.h"
#include "kernels/cpu/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace bench::kernels::cpu::HWY_NAMESPACE {

template <class T>
constexpr int64_t kLanes = static_cast<int64_t>(hn::MaxLanes(hn::ScalableTag<T>()));

// Vectors side by side in a product: what 32 or 16 registers hold beside six rows of sums.
constexpr int kMostVectors = HWY_MAX_BYTES >= 64 || HWY_ARCH_ARM ? 4 : 2;

// Elements of such a row, and how many whole vectors cover `size` elements.
template <class T>
constexpr int64_t kBlock = kMostVectors* kLanes<T>;
template <class T>
constexpr int64_t vectors_for(int64_t size) {
  return ceil_div(size, kLanes<T>);
}
template <class T>
constexpr int64_t whole_vectors(int64_t size) {
  return vectors_for<T>(size) * kLanes<T>;
}

// body(first vector, how many as a constant) over `vectors` in blocks of equal width or nearly so.
template <class Body>
HWY_INLINE void for_blocks(int64_t vectors, const Body& body) {
  const int64_t blocks = ceil_div(vectors, kMostVectors);
  for (int64_t i = 0; i < blocks; ++i) {
    const int64_t first = vectors * i / blocks;
    const int64_t count = vectors * (i + 1) / blocks - first;
    if (count == 1) body(first, std::integral_constant<int, 1>());
    if (count == 2) body(first, std::integral_constant<int, 2>());
    if constexpr (kMostVectors > 2) {
      if (count == 3) body(first, std::integral_constant<int, 3>());
      if (count == 4) body(first, std::integral_constant<int, 4>());
    }
  }
}

// A matrix in packed memory: element [i, k] lies at i · row + k · column.
template <class T>
struct Strided {
  const T* memory;
  int64_t row, column;
};

// c[kPanel, kVectors vectors] (rows c_row apart) = a[kPanel, depth] · b[depth, kVectors vectors]
// (rows b_row apart), or += where `add`.
template <int kVectors, class T>
HWY_INLINE void multiply_panel(int64_t depth, const Strided<T> a, const T* HWY_RESTRICT b,
                               int64_t b_row, T* HWY_RESTRICT c, int64_t c_row, bool add) {
  const hn::ScalableTag<T> d;
  const T* HWY_RESTRICT element = a.memory;
  hn::Vec<decltype(d)> sum[kPanel][kVectors];
#pragma GCC unroll 8
  for (int i = 0; i < kPanel; ++i) {
#pragma GCC unroll 8
    for (int j = 0; j < kVectors; ++j) {
      sum[i][j] = add ? hn::LoadU(d, c + i * c_row + j * kLanes<T>) : hn::Zero(d);
    }
  }
  for (int64_t k = 0; k < depth; ++k) {
    hn::Vec<decltype(d)> row[kVectors];
#pragma GCC unroll 8
    for (int j = 0; j < kVectors; ++j) row[j] = hn::LoadU(d, b + j * kLanes<T>);
#pragma GCC unroll 8
    for (int i = 0; i < kPanel; ++i) {
      const auto x = hn::Set(d, element[i * a.row]);
#pragma GCC unroll 8
      for (int j = 0; j < kVectors; ++j) sum[i][j] = hn::MulAdd(x, row[j], sum[i][j]);
    }
    element += a.column;
    b += b_row;
  }
#pragma GCC unroll 8
  for (int i = 0; i < kPanel; ++i) {
#pragma GCC unroll 8
    for (int j = 0; j < kVectors; ++j) hn::StoreU(sum[i][j], d, c + i * c_row + j * kLanes<T>);
  }
}

}  // namespace bench::kernels::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
