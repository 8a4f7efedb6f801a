#include <algorithm>
#include <tuple>

#include "kernels/cpu/parallel.h"
#include "kernels/registry.h"
#include "kernels/softmax/op.h"
#include "kernels/softmax/rows.h"

namespace bench::kernels::cpu {

using SoftmaxTables = std::tuple<SoftmaxRows<float>, SoftmaxRows<double>, SoftmaxRows<bfloat16>>;

}  // namespace bench::kernels::cpu

// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/softmax/simd-inl.h"
#include <hwy/foreach_target.h>
#include "kernels/softmax/simd-inl.h"
// clang-format on

namespace bench::kernels::cpu {

HWY_EXPORT(softmax_tables);

namespace {

// Rows are of unequal length: they are handed out some at a time.
constexpr int64_t kRowsAtOnce = 64;

template <class Body>
void for_rows(const Context& context, int64_t rows, const Body& body) {
  parallel_tasks(context, (rows + kRowsAtOnce - 1) / kRowsAtOnce, [&](int64_t task) {
    const int64_t first = task * kRowsAtOnce, end = std::min(rows, first + kRowsAtOnce);
    for (int64_t r = first; r < end; ++r) body(r);
  });
}

}  // namespace

template <class T>
SoftmaxRows<T> softmax_rows() {
  return std::get<SoftmaxRows<T>>(HWY_DYNAMIC_DISPATCH(softmax_tables)());
}

template <class T>
void softmax_forward(const Context& context, const SoftmaxForward<T>& a) {
  const auto row = softmax_rows<T>();
  for_rows(context, a.rows, [&](int64_t r) {
    const int64_t first = r * a.seq;
    row.forward(a.x + first, a.y + first, attended_columns(r, a.seq), a.seq, a.scale);
  });
}

template <class T>
void softmax_backward(const Context& context, const SoftmaxBackward<T>& a) {
  const auto row = softmax_rows<T>();
  for_rows(context, a.rows, [&](int64_t r) {
    const int64_t first = r * a.seq, count = attended_columns(r, a.seq);
    const auto mean = row.dot(a.y + first, a.dy + first, count);
    row.backward(a.y + first, a.dy + first, a.dx + first, count, a.seq, mean, a.scale);
  });
}

template SoftmaxRows<float> softmax_rows();
template SoftmaxRows<double> softmax_rows();
template SoftmaxRows<bfloat16> softmax_rows();
template void softmax_forward(const Context&, const SoftmaxForward<float>&);
template void softmax_forward(const Context&, const SoftmaxForward<double>&);
template void softmax_forward(const Context&, const SoftmaxForward<bfloat16>&);
template void softmax_backward(const Context&, const SoftmaxBackward<float>&);
template void softmax_backward(const Context&, const SoftmaxBackward<double>&);
template void softmax_backward(const Context&, const SoftmaxBackward<bfloat16>&);

void register_softmax_simd(VariantList& list) {
  list.add<float, double, bfloat16>("softmax", "simd", DeviceKind::cpu, []<class T>(Ops<T>& ops) {
    ops.softmax_forward = softmax_forward<T>;
    ops.softmax_backward = softmax_backward<T>;
  });
}

}  // namespace bench::kernels::cpu
