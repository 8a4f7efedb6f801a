// Vector code of the bias gradient, read once for each instruction set.
#include "kernels/cpu/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace bench::kernels::cpu::HWY_NAMESPACE {

// Row by row, as dy lies in memory; the sums stay in the cache.
template <class T>
void column_sums_part(const LinearWeightGrad<T>& a, const Part& part) {
  if (!a.accumulate) std::fill(a.d_bias + part.begin, a.d_bias + part.end, Wide<T>(0));
  for (int64_t r = 0; r < a.n; ++r) {
    const T* const dy = a.dy + r * a.out;
    for_vectors<T>(part.begin, part.end, [&](auto d, int64_t i) HWY_ATTR {
      store(hn::Add(load(d, a.d_bias + i), load(d, dy + i)), d, a.d_bias + i);
    });
  }
}

inline ColumnSumTables column_sum_tables() {
  return {{column_sums_part<float>}, {column_sums_part<double>}, {column_sums_part<bfloat16>}};
}

}  // namespace bench::kernels::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
