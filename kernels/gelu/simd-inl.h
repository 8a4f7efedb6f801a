// Vector code of GELU, read once for each instruction set.
#include "kernels/cpu/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace bench::kernels::cpu::HWY_NAMESPACE {

// e = exp(-2u), u = sqrt(2/pi) (x + 0.044715 x^3), of which (1 + tanh(u)) / 2 = 1 / (1 + e). The
// exponent stays under 80, where the quotient is already 0 beside any x.
template <class D, class V>
HWY_INLINE V gelu_exponential(D d, V x) {
  using T = hn::TFromD<D>;
  const V inner = hn::MulAdd(hn::Set(d, T(-2 * kGeluRoot * kGeluCubic)), hn::Mul(x, x),
                             hn::Set(d, T(-2 * kGeluRoot)));
  return exp_of(d, hn::Min(hn::Set(d, T(80)), hn::Mul(x, inner)));
}

template <class T>
void gelu_forward_part(const GeluForward<T>& a, const Part& part) {
  for_vectors<T>(part.begin, part.end, [&](auto d, int64_t i) HWY_ATTR {
    const auto x = load(d, a.x + i);
    const auto e = gelu_exponential(d, x);
    store(hn::Div(x, hn::Add(hn::Set(d, Wide<T>(1)), e)), d, a.y + i);
  });
}

// With gate g = 1 / (1 + e): y = x g and g' = g (1 - g) 2 u', so dy/dx = g (1 + x (1 - g) 2 u'). 1
// - g is taken as e g, which does not cancel.
template <class T>
void gelu_backward_part(const GeluBackward<T>& a, const Part& part) {
  for_vectors<T>(part.begin, part.end, [&](auto d, int64_t i) HWY_ATTR {
    const auto x = load(d, a.x + i);
    const auto one = hn::Set(d, Wide<T>(1));
    const auto e = gelu_exponential(d, x);
    const auto g = hn::Div(one, hn::Add(one, e));
    const auto two_du = hn::MulAdd(hn::Set(d, Wide<T>(6 * kGeluRoot * kGeluCubic)), hn::Mul(x, x),
                                   hn::Set(d, Wide<T>(2 * kGeluRoot)));
    const auto slope = hn::Mul(hn::Mul(x, hn::Mul(e, g)), two_du);
    const auto dy = load(d, a.dy + i);
    store(hn::Mul(dy, hn::MulAdd(g, slope, g)), d, a.dx + i);
  });
}

inline GeluTables gelu_tables() {
  return {{gelu_forward_part<float>, gelu_backward_part<float>},
          {gelu_forward_part<double>, gelu_backward_part<double>},
          {gelu_forward_part<bfloat16>, gelu_backward_part<bfloat16>}};
}

}  // namespace bench::kernels::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
