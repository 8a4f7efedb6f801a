// Vector code of GELU, read once for each instruction set.
#include "kernels/cpu/pairs-inl.h"

HWY_BEFORE_NAMESPACE();
namespace bench::kernels::cpu::HWY_NAMESPACE {

// With e = exp(-2u), u = sqrt(2/pi) (x + 0.044715 x^3): (1 + tanh(u)) / 2 = 1 / (1 + e). This is
// e's binary logarithm, kept under 115, where the quotient is already 0 beside any x. The limit
// stands first, as in fast_exp2, so that a NaN gets through.
template <class D, class V>
HWY_INLINE V gelu_exponent(D d, V x) {
  using T = hn::TFromD<D>;
  constexpr double kFactor = -2 * kGeluRoot * 1.4426950408889634074;
  const V inner =
      hn::MulAdd(hn::Set(d, T(kFactor * kGeluCubic)), hn::Mul(x, x), hn::Set(d, T(kFactor)));
  return hn::Min(hn::Set(d, T(115)), hn::Mul(x, inner));
}

// Columns of a row that are taken through the loops at a time.
constexpr int64_t kGeluBlock = 512;

// x + bias and e of a block, at the places of map_pairs.
template <class T>
struct GeluBlock {
  alignas(64) Wide<T> x[kGeluBlock];
  alignas(64) Wide<T> e[kGeluBlock];

  HWY_INLINE void fill(const T* from, const T* bias, int64_t size) {
    const auto put = [this](auto d, int64_t at, auto v, auto b) HWY_ATTR {
      const auto sum = hn::Add(v, b);
      hn::StoreU(sum, d, x + at);
      hn::StoreU(exp2_with<typename Precision<T>::Exp2>(d, gelu_exponent(d, sum)), d, e + at);
    };
    visit_pairs<T>(size, put, from, bias);
  }
};

// body(first element, first column, columns) for the part's rows, block by block.
template <class Body>
HWY_INLINE void for_blocks(int64_t cols, const Part& part, const Body& body) {
  for (int64_t r = part.begin; r < part.end; ++r) {
    for (int64_t c = 0; c < cols; c += kGeluBlock) {
      body(r * cols + c, c, HWY_MIN(kGeluBlock, cols - c));
    }
  }
}

template <class T, bool kStream>
HWY_INLINE void gelu_forward_rows(const GeluForward<T>& a, const Part& part) {
  GeluBlock<T> block;
  const auto gelu = [&block](auto d, int64_t at) HWY_ATTR {
    const auto beside = hn::Add(hn::Set(d, Wide<T>(1)), hn::LoadU(d, block.e + at));
    return hn::Mul(hn::LoadU(d, block.x + at), Precision<T>::reciprocal(d, beside));
  };
  for_blocks(a.cols, part, [&](int64_t i, int64_t c, int64_t size) HWY_ATTR {
    block.fill(a.x + i, a.bias + c, size);
    map_pairs<T, kStream>(size, a.y + i, gelu, Nothing());
  });
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
  GeluBlock<T> block;
  for_blocks(a.cols, part, [&](int64_t i, int64_t c, int64_t size) HWY_ATTR {
    block.fill(a.x + i, a.bias + c, size);
    const auto slope = [&](auto d, int64_t at, auto dy) HWY_ATTR {
      const auto x = hn::LoadU(d, block.x + at), e = hn::LoadU(d, block.e + at);
      const auto g = Precision<T>::reciprocal(d, hn::Add(hn::Set(d, Wide<T>(1)), e));
      const auto two_du = hn::MulAdd(hn::Set(d, Wide<T>(6 * kGeluRoot * kGeluCubic)), hn::Mul(x, x),
                                     hn::Set(d, Wide<T>(2 * kGeluRoot)));
      const auto bend = hn::Mul(hn::Mul(x, two_du), hn::Mul(e, g));
      const auto dx = hn::Mul(dy, hn::MulAdd(g, bend, g));
      Wide<T>* const sum = sums + c + at;
      hn::StoreU(hn::Add(hn::LoadU(d, sum), dx), d, sum);
      return dx;
    };
    map_pairs<T, kStream>(size, a.dx + i, slope, Nothing(), a.dy + i);
  });
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
