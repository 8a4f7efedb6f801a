#include <tuple>

#include "kernels/cpu/column_partials.h"
#include "kernels/cpu/parallel.h"
#include "kernels/gelu/op.h"
#include "kernels/registry.h"

namespace bench::kernels::cpu {

// One thread's rows, for one instruction set. `bias` is set; `stream`: past the caches.
template <class T>
struct GeluParts {
  void (*forward)(const GeluForward<T>&, const Part&, bool stream);
  void (*backward)(const GeluBackward<T>&, const Part&, bool stream, Wide<T>* sums);
  void (*add_in_order)(int64_t, const Wide<T>*, Wide<T>*);
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

namespace {

template <class T>
GeluParts<T> parts_here() {
  return std::get<GeluParts<T>>(HWY_DYNAMIC_DISPATCH(gelu_tables)());
}

}  // namespace

template <class T>
void gelu_forward(const Context& context, const GeluForward<T>& a) {
  thread_local Scratch zeros;
  const auto run = parts_here<T>().forward;
  const bool stream = a.stream_out && can_stream(a.y, a.cols);
  GeluForward<T> biased = a;
  if (a.bias == nullptr) biased.bias = zero_row<T>(zeros, a.cols);
  parallel_parts(context, a.n, 1, [&](const Part& part) { run(biased, part, stream); });
}

template <class T>
void gelu_backward(const Context& context, const GeluBackward<T>& a) {
  thread_local Scratch zeros, memory;
  const auto parts = parts_here<T>();
  const bool stream = a.stream_out && can_stream(a.dx, a.cols);
  GeluBackward<T> biased = a;
  if (a.bias == nullptr) biased.bias = zero_row<T>(zeros, a.cols);
  ColumnPartials<Wide<T>> sums(memory, context.device.threads(), a.cols);
  parallel_parts(context, a.n, 1, [&](const Part& part) {
    parts.backward(biased, part, stream, sums.row(part.index));
  });
  if (a.d_bias == nullptr) return;
  sums.add_up([&](const Wide<T>* row) { parts.add_in_order(a.cols, row, a.d_bias); });
}

template void gelu_forward(const Context&, const GeluForward<float>&);
template void gelu_forward(const Context&, const GeluForward<double>&);
template void gelu_forward(const Context&, const GeluForward<bfloat16>&);
template void gelu_backward(const Context&, const GeluBackward<float>&);
template void gelu_backward(const Context&, const GeluBackward<double>&);
template void gelu_backward(const Context&, const GeluBackward<bfloat16>&);

void register_gelu_simd(VariantList& list) {
  list.add<float, double, bfloat16>("gelu", "simd", DeviceKind::cpu, []<class T>(Ops<T>& ops) {
    ops.gelu_forward = gelu_forward<T>;
    ops.gelu_backward = gelu_backward<T>;
  });
}

}  // namespace bench::kernels::cpu
