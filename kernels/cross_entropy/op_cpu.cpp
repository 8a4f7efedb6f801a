#include <tuple>

#include "kernels/cpu/parallel.h"
#include "kernels/cross_entropy/op.h"

namespace bench::kernels::cpu {

// One thread's rows, for one instruction set.
template <class T>
struct CrossEntropyParts {
  void (*max)(const CrossEntropyMax<T>&, const Part&);
  void (*sum)(const CrossEntropySum<T>&, const Part&);
  void (*grad)(const CrossEntropyGrad<T>&, const Part&);
};
using CrossEntropyTables =
    std::tuple<CrossEntropyParts<float>, CrossEntropyParts<double>, CrossEntropyParts<bfloat16>>;

}  // namespace bench::kernels::cpu

// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cross_entropy/simd-inl.h"
#include <hwy/foreach_target.h>
#include "kernels/cross_entropy/simd-inl.h"
// clang-format on

namespace bench::kernels::cpu {

HWY_EXPORT(cross_entropy_tables);

namespace {

template <class T>
CrossEntropyParts<T> parts_here() {
  return std::get<CrossEntropyParts<T>>(HWY_DYNAMIC_DISPATCH(cross_entropy_tables)());
}

}  // namespace

template <class T>
void cross_entropy_max(const Context& context, const CrossEntropyMax<T>& a) {
  const auto run = parts_here<T>().max;
  parallel_parts(context, a.n, 1, [&](const Part& part) { run(a, part); });
}

template <class T>
void cross_entropy_sum(const Context& context, const CrossEntropySum<T>& a) {
  const auto run = parts_here<T>().sum;
  parallel_parts(context, a.n, 1, [&](const Part& part) { run(a, part); });
}

template <class T>
void cross_entropy_grad(const Context& context, const CrossEntropyGrad<T>& a) {
  const auto run = parts_here<T>().grad;
  parallel_parts(context, a.n, 1, [&](const Part& part) { run(a, part); });
}

template void cross_entropy_max(const Context&, const CrossEntropyMax<float>&);
template void cross_entropy_max(const Context&, const CrossEntropyMax<double>&);
template void cross_entropy_max(const Context&, const CrossEntropyMax<bfloat16>&);
template void cross_entropy_sum(const Context&, const CrossEntropySum<float>&);
template void cross_entropy_sum(const Context&, const CrossEntropySum<double>&);
template void cross_entropy_sum(const Context&, const CrossEntropySum<bfloat16>&);
template void cross_entropy_grad(const Context&, const CrossEntropyGrad<float>&);
template void cross_entropy_grad(const Context&, const CrossEntropyGrad<double>&);
template void cross_entropy_grad(const Context&, const CrossEntropyGrad<bfloat16>&);

}  // namespace bench::kernels::cpu
