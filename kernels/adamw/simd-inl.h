// Vector code of AdamW, read once for each instruction set.
#include "kernels/cpu/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace bench::kernels::cpu::HWY_NAMESPACE {

template <class T>
void adamw_part(const AdamW<T>& a, const AdamWFactors<T>& f, const Part& part) {
  for_vectors<T>(part.begin, part.end, [&](auto d, int64_t i) HWY_ATTR {
    const auto g = hn::Mul(hn::LoadU(d, a.g + i), hn::Set(d, f.clip));
    const auto m =
        hn::MulAdd(hn::Set(d, f.beta1), hn::LoadU(d, a.m + i), hn::Mul(hn::Set(d, f.rest1), g));
    const auto v = hn::MulAdd(hn::Set(d, f.beta2), hn::LoadU(d, a.v + i),
                              hn::Mul(hn::Mul(hn::Set(d, f.rest2), g), g));
    const auto w = hn::LoadU(d, a.w + i);
    const auto root = hn::Sqrt(hn::Mul(v, hn::Set(d, f.per_correction2)));
    const auto direction =
        hn::Div(hn::Mul(m, hn::Set(d, f.rate)), hn::Add(root, hn::Set(d, f.eps)));
    hn::StoreU(m, d, a.m + i);
    hn::StoreU(v, d, a.v + i);
    hn::StoreU(hn::Sub(w, hn::MulAdd(hn::Set(d, f.decay), w, direction)), d, a.w + i);
  });
}

inline AdamWTables adamw_tables() { return {{adamw_part<float>}, {adamw_part<double>}}; }

}  // namespace bench::kernels::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
