// Vector code of GELU, read once for each instruction set.
#include "kernels/cpu/pairs-inl.h"

HWY_BEFORE_NAMESPACE();
namespace bench::kernels::cpu::HWY_NAMESPACE {

// e = exp(-2u), u = sqrt(2/pi) (x + 0.044715 x^3), of which (1 + tanh(u)) / 2 = 1 / (1 + e); as a
// power of two. The exponent stays under 115, where the quotient is already 0 beside any x. The
// limit stands first, as in fast_exp2, so that a NaN gets through.
template <class D, class V>
HWY_INLINE V gelu_exponential(D d, V x) {
  using T = hn::TFromD<D>;
  constexpr double kFactor = -2 * kGeluRoot * 1.4426950408889634074;
  const V inner =
      hn::MulAdd(hn::Set(d, T(kFactor * kGeluCubic)), hn::Mul(x, x), hn::Set(d, T(kFactor)));
  return fast_exp2(d, hn::Min(hn::Set(d, T(115)), hn::Mul(x, inner)));
}

template <class T, bool kStream>
HWY_INLINE void gelu_forward_rows(const GeluForward<T>& a, const Part& part) {
  for (int64_t r = part.begin; r < part.end; ++r) {
    const auto gelu = [&](auto d, int64_t, auto in, auto bias) HWY_ATTR {
      const auto x = hn::Add(in, bias);
      const auto e = gelu_exponential(d, x);
      return hn::Mul(x, reciprocal(d, hn::Add(hn::Set(d, Wide<T>(1)), e)));
    };
    map_pairs<T, kStream>(a.cols, a.y + r * a.cols, gelu, Nothing(), a.x + r * a.cols, a.bias);
  }
}

template <class T>
void gelu_forward_part(const GeluForward<T>& a, const Part& part, bool stream) {
  if (stream) {
    gelu_forward_rows<T, true>(a, part);
    hwy::FlushStream();
  } else {
    gelu_forward_rows<T, false>(a, part);
  }
}

// With gate g = 1 / (1 + e): y = x g and g' = g (1 - g) 2 u', so dy/dx = g (1 + x (1 - g) 2 u'). 1
// - g is taken as e g, which does not cancel.
template <class T, bool kStream>
HWY_INLINE void gelu_backward_rows(const GeluBackward<T>& a, const Part& part, Wide<T>* sums) {
  for (int64_t r = part.begin; r < part.end; ++r) {
    const auto slope = [&](auto d, int64_t at, auto dy, auto in, auto bias) HWY_ATTR {
      const auto x = hn::Add(in, bias), one = hn::Set(d, Wide<T>(1));
      const auto e = gelu_exponential(d, x);
      const auto g = reciprocal(d, hn::Add(one, e));
      const auto two_du = hn::MulAdd(hn::Set(d, Wide<T>(6 * kGeluRoot * kGeluCubic)), hn::Mul(x, x),
                                     hn::Set(d, Wide<T>(2 * kGeluRoot)));
      const auto bend = hn::Mul(hn::Mul(x, hn::Mul(e, g)), two_du);
      const auto dx = hn::Mul(dy, hn::MulAdd(g, bend, g));
      hn::StoreU(hn::Add(hn::LoadU(d, sums + at), dx), d, sums + at);
      return dx;
    };
    map_pairs<T, kStream>(a.cols, a.dx + r * a.cols, slope, Nothing(), a.dy + r * a.cols,
                          a.x + r * a.cols, a.bias);
  }
}

template <class T>
void gelu_backward_part(const GeluBackward<T>& a, const Part& part, bool stream, Wide<T>* sums) {
  if (stream) {
    gelu_backward_rows<T, true>(a, part, sums);
    hwy::FlushStream();
  } else {
    gelu_backward_rows<T, false>(a, part, sums);
  }
}

template <class T>
GeluParts<T> gelu_parts() {
  return {gelu_forward_part<T>, gelu_backward_part<T>, add_in_order<T>};
}

inline GeluTables gelu_tables() {
  return {gelu_parts<float>(), gelu_parts<double>(), gelu_parts<bfloat16>()};
}

}  // namespace bench::kernels::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
