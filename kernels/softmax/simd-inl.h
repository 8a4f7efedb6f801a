// Vector code of the softmax, read once for each instruction set.
#include "kernels/cpu/exp-inl.h"
#include "kernels/cpu/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace bench::kernels::cpu::HWY_NAMESPACE {

// The exponentials are computed twice, which costs less than what a narrow y would lose of them.
template <class T>
void softmax_row(const T* x, T* y, int64_t count, int64_t width, Wide<T> scale) {
  using W = Wide<T>;
  const W most = max_of<W>(0, count, [&](auto d, int64_t i) HWY_ATTR { return load(d, x + i); });
  const W factor = scale * W(1.4426950408889634074);  // log2(e)
  const auto exponential = [&](auto d, int64_t i) HWY_ATTR {
    return fast_exp2(d, hn::Mul(hn::Sub(load(d, x + i), hn::Set(d, most)), hn::Set(d, factor)));
  };
  const W per_sum = W(1) / sum_of<W>(0, count, exponential);
  for_vectors<W>(0, count, [&](auto d, int64_t i) HWY_ATTR {
    store(hn::Mul(exponential(d, i), hn::Set(d, per_sum)), d, y + i);
  });
  std::fill(y + count, y + width, T(0));
}

template <class T>
Wide<T> dot_row(const T* a, const T* b, int64_t count) {
  return sum_of<Wide<T>>(0, count, [&](auto d, int64_t i) HWY_ATTR {
    return hn::Mul(load(d, a + i), load(d, b + i));
  });
}

template <class T>
void softmax_grad_row(const T* y, const T* dy, T* dx, int64_t count, int64_t width, Wide<T> mean,
                      Wide<T> scale) {
  for_vectors<T>(0, count, [&](auto d, int64_t i) HWY_ATTR {
    const auto centred = hn::Sub(load(d, dy + i), hn::Set(d, mean));
    store(hn::Mul(hn::Mul(load(d, y + i), hn::Set(d, scale)), centred), d, dx + i);
  });
  std::fill(dx + count, dx + width, T(0));
}

template <class T>
SoftmaxRows<T> rows_of() {
  return {softmax_row<T>, dot_row<T>, softmax_grad_row<T>};
}

inline SoftmaxTables softmax_tables() {
  return {rows_of<float>(), rows_of<double>(), rows_of<bfloat16>()};
}

}  // namespace bench::kernels::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
