#include <tuple>

#include "kernels/cpu/parallel.h"
#include "kernels/cpu/scratch.h"
#include "kernels/elementwise/op.h"
#include "kernels/registry.h"

namespace bench::kernels::cpu {

// One thread's share of each op, for one instruction set.
template <class T>
struct ElementwiseParts {
  void (*add)(const Add<T>&, const Part&);
  double (*squares)(const SumOfSquares<T>&, const Part&);
  double (*sum)(const Sum<T>&, const Part&);
};
using ElementwiseTables =
    std::tuple<ElementwiseParts<float>, ElementwiseParts<double>, ElementwiseParts<bfloat16>>;

}  // namespace bench::kernels::cpu

// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/elementwise/simd-inl.h"
#include <hwy/foreach_target.h>
#include "kernels/elementwise/simd-inl.h"
// clang-format on

namespace bench::kernels::cpu {

HWY_EXPORT(elementwise_tables);

template <class T>
void add(const Context& context, const Add<T>& a) {
  const auto run = std::get<ElementwiseParts<T>>(HWY_DYNAMIC_DISPATCH(elementwise_tables)()).add;
  parallel_parts(context, a.size, kLine<T>, [&](const Part& part) { run(a, part); });
}

// Partial sums of the threads' parts, added in the order of the parts.
template <class Args, class Run>
void add_up(const Context& context, const Args& a, int64_t grain, const Run& run) {
  thread_local Scratch memory;
  const int parts = context.device.threads();
  double* const partial = memory.elements<double>(parts);
  std::fill_n(partial, parts, 0.0);
  parallel_parts(context, a.size, grain,
                 [&](const Part& part) { partial[part.index] = run(a, part); });
  double total = 0;
  for (int i = 0; i < parts; ++i) total += partial[i];
  *a.result += total;
}

template <class T>
void sum_of_squares(const Context& context, const SumOfSquares<T>& a) {
  const auto& tables = HWY_DYNAMIC_DISPATCH(elementwise_tables)();
  add_up(context, a, kLine<T>, std::get<ElementwiseParts<T>>(tables).squares);
}

template <class T>
void sum(const Context& context, const Sum<T>& a) {
  const auto& tables = HWY_DYNAMIC_DISPATCH(elementwise_tables)();
  add_up(context, a, kLine<T>, std::get<ElementwiseParts<T>>(tables).sum);
}

template void add(const Context&, const Add<float>&);
template void add(const Context&, const Add<double>&);
template void add(const Context&, const Add<bfloat16>&);
template void sum_of_squares(const Context&, const SumOfSquares<float>&);
template void sum_of_squares(const Context&, const SumOfSquares<double>&);
template void sum_of_squares(const Context&, const SumOfSquares<bfloat16>&);
template void sum(const Context&, const Sum<float>&);
template void sum(const Context&, const Sum<double>&);
template void sum(const Context&, const Sum<bfloat16>&);

void register_elementwise_simd(VariantList& list) {
  list.add<float, double, bfloat16>("elementwise", "simd", DeviceKind::cpu,
                                    []<class T>(Ops<T>& ops) {
                                      ops.add = add<T>;
                                      ops.sum_of_squares = sum_of_squares<T>;
                                      ops.sum = sum<T>;
                                    });
}

}  // namespace bench::kernels::cpu
