#include <tuple>

#include "kernels/cpu/column_partials.h"
#include "kernels/cpu/parallel.h"
#include "kernels/dropout/op.h"
#include "kernels/registry.h"

namespace bench::kernels::cpu {

// One thread's rows, for one instruction set. bias is set; `stream`: past the caches.
template <class T>
struct DropoutParts {
  void (*forward)(const DropoutForward<T>&, const Part&, bool stream);
  void (*backward)(const DropoutBackward<T>&, const Part&, bool stream, Wide<T>* sums);
  void (*add_in_order)(int64_t, const Wide<T>*, Wide<T>*);
};
using DropoutTables = std::tuple<DropoutParts<float>, DropoutParts<double>, DropoutParts<bfloat16>>;

}  // namespace bench::kernels::cpu

// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/dropout/simd-inl.h"
#include <hwy/foreach_target.h>
#include "kernels/dropout/simd-inl.h"
// clang-format on

namespace bench::kernels::cpu {

HWY_EXPORT(dropout_tables);
HWY_EXPORT(fill_dropout_bits);

namespace {

template <class T>
DropoutParts<T> parts_here() {
  return std::get<DropoutParts<T>>(HWY_DYNAMIC_DISPATCH(dropout_tables)());
}

}  // namespace

void dropout_bits(uint64_t seed, uint64_t position, int64_t size, uint16_t* bits) {
  HWY_DYNAMIC_DISPATCH(fill_dropout_bits)(seed, position, size, bits);
}

template <class T>
void dropout_forward(const Context& context, const DropoutForward<T>& a) {
  thread_local Scratch zeros;
  const auto run = parts_here<T>().forward;
  const bool stream = a.stream_out && can_stream(a.y, a.h);
  DropoutForward<T> biased = a;
  if (a.bias == nullptr) biased.bias = zero_row<T>(zeros, a.h);
  parallel_parts(context, a.n, 1, [&](const Part& part) { run(biased, part, stream); });
}

template <class T>
void dropout_backward(const Context& context, const DropoutBackward<T>& a) {
  thread_local Scratch memory;
  const auto parts = parts_here<T>();
  const bool stream = a.stream_out && can_stream(a.dx, a.h);
  ColumnPartials<Wide<T>> sums(memory, context.device.threads(), a.h);
  parallel_parts(context, a.n, 1,
                 [&](const Part& part) { parts.backward(a, part, stream, sums.row(part.index)); });
  if (a.d_bias == nullptr) return;
  sums.add_up([&](const Wide<T>* row) { parts.add_in_order(a.h, row, a.d_bias); });
}

template void dropout_forward(const Context&, const DropoutForward<float>&);
template void dropout_forward(const Context&, const DropoutForward<double>&);
template void dropout_forward(const Context&, const DropoutForward<bfloat16>&);
template void dropout_backward(const Context&, const DropoutBackward<float>&);
template void dropout_backward(const Context&, const DropoutBackward<double>&);
template void dropout_backward(const Context&, const DropoutBackward<bfloat16>&);

void register_dropout_simd(VariantList& list) {
  list.add<float, double, bfloat16>("dropout", "simd", DeviceKind::cpu, []<class T>(Ops<T>& ops) {
    ops.dropout_forward = dropout_forward<T>;
    ops.dropout_backward = dropout_backward<T>;
  });
}

}  // namespace bench::kernels::cpu
