#include <tuple>

#include "kernels/adamw/op.h"
#include "kernels/cpu/parallel.h"
#include "kernels/registry.h"

namespace bench::kernels::cpu {

// What is the same for every element, computed in double.
template <class T>
struct AdamWFactors {
  T clip, beta1, rest1, beta2, rest2;
  T rate;             // lr / (1 - beta1^step)
  T per_correction2;  // 1 / (1 - beta2^step)
  T eps;
  T decay;  // lr * weight_decay
};

// One thread's share, for one instruction set.
template <class T>
struct AdamWParts {
  void (*update)(const AdamW<T>&, const AdamWFactors<Wide<T>>&, const Part&);
};
using AdamWTables = std::tuple<AdamWParts<float>, AdamWParts<double>, AdamWParts<bfloat16>>;

}  // namespace bench::kernels::cpu

// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/adamw/simd-inl.h"
#include <hwy/foreach_target.h>
#include "kernels/adamw/simd-inl.h"
// clang-format on

namespace bench::kernels::cpu {

HWY_EXPORT(adamw_tables);

template <class T>
void adamw(const Context& context, const AdamW<T>& a) {
  const double step = step_number(a.step, a.step_at), lr = learning_rate(a.lr, a.lr_at);
  using W = Wide<T>;
  const AdamWFactors<W> factors{
      .clip = static_cast<W>(clip_factor(a.clip, a.squared_norm)),
      .beta1 = static_cast<W>(a.beta1),
      .rest1 = static_cast<W>(1 - a.beta1),
      .beta2 = static_cast<W>(a.beta2),
      .rest2 = static_cast<W>(1 - a.beta2),
      .rate = static_cast<W>(lr / (1 - std::pow(a.beta1, step))),
      .per_correction2 = static_cast<W>(1 / (1 - std::pow(a.beta2, step))),
      .eps = static_cast<W>(a.eps),
      .decay = static_cast<W>(lr * a.weight_decay)};
  const auto run = std::get<AdamWParts<T>>(HWY_DYNAMIC_DISPATCH(adamw_tables)()).update;
  parallel_parts(context, a.size, kLine<T>, [&](const Part& part) { run(a, factors, part); });
}

template void adamw(const Context&, const AdamW<float>&);
template void adamw(const Context&, const AdamW<double>&);
template void adamw(const Context&, const AdamW<bfloat16>&);

void register_adamw_simd(VariantList& list) {
  list.add<float, double, bfloat16>("adamw", "simd", DeviceKind::cpu,
                                    []<class T>(Ops<T>& ops) { ops.adamw = adamw<T>; });
}

}  // namespace bench::kernels::cpu
