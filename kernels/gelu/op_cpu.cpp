#include <tuple>

#include "kernels/cpu/parallel.h"
#include "kernels/gelu/op.h"

namespace bench::kernels::cpu {

// One thread's share of each op, for one instruction set.
template <class T>
struct GeluParts {
  void (*forward)(const GeluForward<T>&, const Part&);
  void (*backward)(const GeluBackward<T>&, const Part&);
};
using GeluTables = std::tuple<GeluParts<float>, GeluParts<double>, GeluParts<bfloat16>>;

}  // namespace bench::kernels::cpu

// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/gelu/simd-inl.h"
#include <hwy/foreach_target.h>
#include "kernels/gelu/simd-inl.h"
// clang-format on

namespace bench::kernels::cpu {

HWY_EXPORT(gelu_tables);

template <class T>
void gelu_forward(const Context& context, const GeluForward<T>& a) {
  const auto run = std::get<GeluParts<T>>(HWY_DYNAMIC_DISPATCH(gelu_tables)()).forward;
  parallel_parts(context, a.size, kLine<T>, [&](const Part& part) { run(a, part); });
}

template <class T>
void gelu_backward(const Context& context, const GeluBackward<T>& a) {
  const auto run = std::get<GeluParts<T>>(HWY_DYNAMIC_DISPATCH(gelu_tables)()).backward;
  parallel_parts(context, a.size, kLine<T>, [&](const Part& part) { run(a, part); });
}

template void gelu_forward(const Context&, const GeluForward<float>&);
template void gelu_forward(const Context&, const GeluForward<double>&);
template void gelu_forward(const Context&, const GeluForward<bfloat16>&);
template void gelu_backward(const Context&, const GeluBackward<float>&);
template void gelu_backward(const Context&, const GeluBackward<double>&);
template void gelu_backward(const Context&, const GeluBackward<bfloat16>&);

}  // namespace bench::kernels::cpu
