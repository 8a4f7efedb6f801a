#include <tuple>

#include "kernels/cpu/column_partials.h"
#include "kernels/cpu/parallel.h"
#include "kernels/layer_norm/op.h"
#include "kernels/registry.h"

namespace bench::kernels::cpu {

// One thread's rows, for one instruction set. `stream`: past the caches.
template <class T>
struct LayerNormParts {
  void (*forward)(const LayerNormForward<T>&, const Part&, bool stream);
  void (*backward)(const LayerNormBackward<T>&, const Part&, bool stream, Wide<T>* d_gamma,
                   Wide<T>* d_beta);
  void (*add_in_order)(int64_t, const Wide<T>*, Wide<T>*);
};
using LayerNormTables =
    std::tuple<LayerNormParts<float>, LayerNormParts<double>, LayerNormParts<bfloat16>>;

}  // namespace bench::kernels::cpu

// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/layer_norm/simd-inl.h"
#include <hwy/foreach_target.h>
#include "kernels/layer_norm/simd-inl.h"
// clang-format on

namespace bench::kernels::cpu {

HWY_EXPORT(layer_norm_tables);

namespace {

template <class T>
LayerNormParts<T> parts_here() {
  return std::get<LayerNormParts<T>>(HWY_DYNAMIC_DISPATCH(layer_norm_tables)());
}

}  // namespace

template <class T>
void layer_norm_forward(const Context& context, const LayerNormForward<T>& a) {
  const auto run = parts_here<T>().forward;
  const bool stream = a.stream_out && can_stream(a.y, a.h);
  parallel_parts(context, a.n, 1, [&](const Part& part) { run(a, part, stream); });
}

template <class T>
void layer_norm_backward(const Context& context, const LayerNormBackward<T>& a) {
  thread_local Scratch gammas, betas;
  const auto parts = parts_here<T>();
  const bool stream = a.stream_out && can_stream(a.dx, a.h);
  const int threads = context.device.threads();
  ColumnPartials<Wide<T>> d_gamma(gammas, threads, a.h), d_beta(betas, threads, a.h);
  parallel_parts(context, a.n, 1, [&](const Part& part) {
    parts.backward(a, part, stream, d_gamma.row(part.index), d_beta.row(part.index));
  });
  d_gamma.add_up([&](const Wide<T>* row) { parts.add_in_order(a.h, row, a.d_gamma); });
  d_beta.add_up([&](const Wide<T>* row) { parts.add_in_order(a.h, row, a.d_beta); });
}

template void layer_norm_forward(const Context&, const LayerNormForward<float>&);
template void layer_norm_forward(const Context&, const LayerNormForward<double>&);
template void layer_norm_forward(const Context&, const LayerNormForward<bfloat16>&);
template void layer_norm_backward(const Context&, const LayerNormBackward<float>&);
template void layer_norm_backward(const Context&, const LayerNormBackward<double>&);
template void layer_norm_backward(const Context&, const LayerNormBackward<bfloat16>&);

void register_layer_norm_simd(VariantList& list) {
  list.add<float, double, bfloat16>("layer_norm", "simd", DeviceKind::cpu,
                                    []<class T>(Ops<T>& ops) {
                                      ops.layer_norm_forward = layer_norm_forward<T>;
                                      ops.layer_norm_backward = layer_norm_backward<T>;
                                    });
}

}  // namespace bench::kernels::cpu
