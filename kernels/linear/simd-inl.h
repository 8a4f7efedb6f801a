// Vector code of the bias gradient, read once for each instruction set.
#include "kernels/cpu/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace bench::kernels::cpu::HWY_NAMESPACE {

// dy's rows [row, row + kRows) added to the sums, in their order.
template <int kRows, class T>
HWY_INLINE void add_rows(const LinearWeightGrad<T>& a, const Part& part, int64_t row) {
  for_vectors<T>(part.begin, part.end, [&](auto d, int64_t i) HWY_ATTR {
    const T* const dy = a.dy + row * a.out + i;
    auto sum = load(d, a.d_bias + i);
#pragma GCC unroll 8
    for (int64_t r = 0; r < kRows; ++r) sum = hn::Add(sum, load(d, dy + r * a.out));
    store(sum, d, a.d_bias + i);
  });
}

// As dy lies in memory; the sums stay in the cache and are read and written once for eight rows.
template <class T>
void column_sums_part(const LinearWeightGrad<T>& a, const Part& part) {
  if (!a.accumulate) std::fill(a.d_bias + part.begin, a.d_bias + part.end, Wide<T>(0));
  int64_t row = 0;
  for (; row + 8 <= a.n; row += 8) add_rows<8>(a, part, row);
  for (; row < a.n; ++row) add_rows<1>(a, part, row);
}

inline ColumnSumTables column_sum_tables() {
  return {{column_sums_part<float>}, {column_sums_part<double>}, {column_sums_part<bfloat16>}};
}

}  // namespace bench::kernels::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
