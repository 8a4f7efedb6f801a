#include <tuple>

#include "kernels/cpu/parallel.h"
#include "kernels/cpu/scratch.h"
#include "kernels/layer_norm/op.h"

namespace bench::kernels::cpu {

// One thread's rows, for one instruction set.
template <class T>
struct LayerNormParts {
  void (*forward)(const LayerNormForward<T>&, const Part&);
  void (*backward)(const LayerNormBackward<T>&, const Part&, Wide<T>* sums);
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

template <class T>
void layer_norm_forward(const Context& context, const LayerNormForward<T>& a) {
  const auto run = std::get<LayerNormParts<T>>(HWY_DYNAMIC_DISPATCH(layer_norm_tables)()).forward;
  parallel_parts(context, a.n, 1, [&](const Part& part) { run(a, part); });
}

template <class T>
void layer_norm_backward(const Context& context, const LayerNormBackward<T>& a) {
  thread_local Scratch memory;
  const auto run = std::get<LayerNormParts<T>>(HWY_DYNAMIC_DISPATCH(layer_norm_tables)()).backward;
  const int64_t parts = context.device.threads();
  using W = Wide<T>;
  const int64_t stride = (2 * a.h + kLine<W> - 1) / kLine<W> * kLine<W>;
  W* const sums = memory.elements<W>(parts * stride);
  std::fill_n(sums, parts * stride, W(0));
  parallel_parts(context, a.n, 1,
                 [&](const Part& part) { run(a, part, sums + part.index * stride); });
  for (int64_t part = 0; part < parts; ++part) {
    for (int64_t c = 0; c < a.h; ++c) {
      a.d_gamma[c] += sums[part * stride + c];
      a.d_beta[c] += sums[part * stride + a.h + c];
    }
  }
}

template void layer_norm_forward(const Context&, const LayerNormForward<float>&);
template void layer_norm_forward(const Context&, const LayerNormForward<double>&);
template void layer_norm_forward(const Context&, const LayerNormForward<bfloat16>&);
template void layer_norm_backward(const Context&, const LayerNormBackward<float>&);
template void layer_norm_backward(const Context&, const LayerNormBackward<double>&);
template void layer_norm_backward(const Context&, const LayerNormBackward<bfloat16>&);

}  // namespace bench::kernels::cpu
