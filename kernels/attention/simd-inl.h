// Vector code of attention's softmax, read once for each instruction set.
#include "kernels/cpu/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace bench::kernels::cpu::HWY_NAMESPACE {

// In place: s[0, count) becomes softmax(scale · s), s[count, width) zero.
template <class T>
void softmax_row(T* s, int64_t count, int64_t width, T scale) {
  const T most = max_of<T>(0, count, [&](auto d, int64_t i) HWY_ATTR { return load(d, s + i); });
  for_vectors<T>(0, count, [&](auto d, int64_t i) HWY_ATTR {
    const auto shifted = hn::Sub(load(d, s + i), hn::Set(d, most));
    store(exp_of(d, hn::Mul(shifted, hn::Set(d, scale))), d, s + i);
  });
  const T per_sum =
      T(1) / sum_of<T>(0, count, [&](auto d, int64_t i) HWY_ATTR { return load(d, s + i); });
  for_vectors<T>(0, count, [&](auto d, int64_t i) HWY_ATTR {
    store(hn::Mul(load(d, s + i), hn::Set(d, per_sum)), d, s + i);
  });
  std::fill(s + count, s + width, T(0));
}

template <class T>
T dot(const T* a, const T* b, int64_t size) {
  return sum_of<T>(
      0, size, [&](auto d, int64_t i) HWY_ATTR { return hn::Mul(load(d, a + i), load(d, b + i)); });
}

// In place: g[0, count) becomes scale · p · (g - mean), g[count, width) zero.
template <class T>
void softmax_grad_row(const T* p, T* g, int64_t count, int64_t width, T mean, T scale) {
  for_vectors<T>(0, count, [&](auto d, int64_t i) HWY_ATTR {
    const auto centred = hn::Sub(load(d, g + i), hn::Set(d, mean));
    const auto scaled = hn::Mul(load(d, p + i), hn::Set(d, scale));
    store(hn::Mul(scaled, centred), d, g + i);
  });
  std::fill(g + count, g + width, T(0));
}

inline SoftmaxTables softmax_tables() {
  return {{softmax_row<float>, dot<float>, softmax_grad_row<float>},
          {softmax_row<double>, dot<double>, softmax_grad_row<double>}};
}

}  // namespace bench::kernels::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
