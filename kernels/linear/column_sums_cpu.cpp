#include <tuple>

#include "kernels/cpu/parallel.h"
#include "kernels/linear/column_sums.h"

namespace bench::kernels::cpu {

// One thread's columns, for one instruction set.
template <class T>
struct ColumnSumParts {
  void (*sum)(const LinearWeightGrad<T>&, const Part&);
};
using ColumnSumTables =
    std::tuple<ColumnSumParts<float>, ColumnSumParts<double>, ColumnSumParts<bfloat16>>;

}  // namespace bench::kernels::cpu

// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/linear/simd-inl.h"
#include <hwy/foreach_target.h>
#include "kernels/linear/simd-inl.h"
// clang-format on

namespace bench::kernels::cpu {

HWY_EXPORT(column_sum_tables);

template <class T>
void column_sums(const Context& context, const LinearWeightGrad<T>& a) {
  const auto run = std::get<ColumnSumParts<T>>(HWY_DYNAMIC_DISPATCH(column_sum_tables)()).sum;
  parallel_parts(context, a.out, kLine<T>, [&](const Part& part) { run(a, part); });
}

template void column_sums(const Context&, const LinearWeightGrad<float>&);
template void column_sums(const Context&, const LinearWeightGrad<double>&);
template void column_sums(const Context&, const LinearWeightGrad<bfloat16>&);

}  // namespace bench::kernels::cpu
