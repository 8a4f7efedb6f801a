// Vector code of AdamW, read once for each instruction set.
#include "kernels/cpu/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace bench::kernels::cpu::HWY_NAMESPACE {

template <class T>
void adamw_part(const AdamW<T>& a, const AdamWFactors<Wide<T>>& f, const Part& part) {
  for_vectors<T>(part.begin, part.end, [&](auto d, int64_t i) HWY_ATTR {
    const auto g = hn::Mul(load(d, a.g + i), hn::Set(d, f.clip));
    const auto m =
        hn::MulAdd(hn::Set(d, f.beta1), load(d, a.m + i), hn::Mul(hn::Set(d, f.rest1), g));
    const auto v = hn::MulAdd(hn::Set(d, f.beta2), load(d, a.v + i),
                              hn::Mul(hn::Mul(hn::Set(d, f.rest2), g), g));
    const auto w = load(d, a.w + i);
    const auto root = hn::Sqrt(hn::Mul(v, hn::Set(d, f.per_correction2)));
    const auto direction =
        hn::Div(hn::Mul(m, hn::Set(d, f.rate)), hn::Add(root, hn::Set(d, f.eps)));
    store(m, d, a.m + i);
    store(v, d, a.v + i);
    const auto updated = hn::Sub(w, hn::MulAdd(hn::Set(d, f.decay), w, direction));
    store(updated, d, a.w + i);
    if (a.copy != nullptr) store(updated, d, a.copy + i);
  });
}

inline AdamWTables adamw_tables() {
  return {{adamw_part<float>}, {adamw_part<double>}, {adamw_part<bfloat16>}};
}

}  // namespace bench::kernels::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
