// Vector code of layer norm, read once for each instruction set.
#include "kernels/cpu/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace bench::kernels::cpu::HWY_NAMESPACE {

template <class T>
void layer_norm_forward_part(const LayerNormForward<T>& a, const Part& part) {
  using W = Wide<T>;
  for (int64_t r = part.begin; r < part.end; ++r) {
    const T* x = a.x + r * a.h;
    if (a.residual != nullptr) {
      const T* const residual = a.residual + r * a.h;
      T* const sum = a.sum + r * a.h;
      for_vectors<T>(0, a.h, [&](auto d, int64_t i) HWY_ATTR {
        store(hn::Add(load(d, x + i), load(d, residual + i)), d, sum + i);
      });
      x = sum;
    }
    const W per_h = W(1) / static_cast<W>(a.h);
    const W mean =
        per_h * sum_of<W>(0, a.h, [&](auto d, int64_t i) HWY_ATTR { return load(d, x + i); });
    // A second pass over the row, which is in the cache: E[x^2] - mean^2 would cancel.
    const W variance = per_h * sum_of<W>(0, a.h, [&](auto d, int64_t i) HWY_ATTR {
                         const auto off = hn::Sub(load(d, x + i), hn::Set(d, mean));
                         return hn::Mul(off, off);
                       });
    const W rstd = W(1) / std::sqrt(variance + a.eps);
    T* const y = a.y + r * a.h;
    for_vectors<T>(0, a.h, [&](auto d, int64_t i) HWY_ATTR {
      const auto off = hn::Sub(load(d, x + i), hn::Set(d, mean));
      const auto normed = hn::Mul(off, hn::Set(d, rstd));
      store(hn::MulAdd(normed, load(d, a.gamma + i), load(d, a.beta + i)), d, y + i);
    });
    a.mean[r] = mean;
    a.rstd[r] = rstd;
  }
}

// dx of one row; dy * x' and dy are added to d_gamma and d_beta.
template <class T>
HWY_INLINE void layer_norm_backward_row(const LayerNormBackward<T>& a, int64_t r, Wide<T>* d_gamma,
                                        Wide<T>* d_beta) {
  using W = Wide<T>;
  const T* const dy = a.dy + r * a.h;
  const T* const x = a.x + r * a.h;
  const T* const residual = a.d_residual == nullptr ? nullptr : a.d_residual + r * a.h;
  T* const dx = a.dx + r * a.h;
  const W mean = a.mean[r], rstd = a.rstd[r], per_h = W(1) / static_cast<W>(a.h);
  const auto normed = [&](auto d, int64_t i) HWY_ATTR {
    return hn::Mul(hn::Sub(load(d, x + i), hn::Set(d, mean)), hn::Set(d, rstd));
  };
  const auto scaled = [&](auto d, int64_t i)
                          HWY_ATTR { return hn::Mul(load(d, dy + i), load(d, a.gamma + i)); };
  const W mean_g = per_h * sum_of<W>(0, a.h, scaled);
  const W mean_gx = per_h * sum_of<W>(0, a.h, [&](auto d, int64_t i) HWY_ATTR {
                      return hn::Mul(scaled(d, i), normed(d, i));
                    });
  for_vectors<T>(0, a.h, [&](auto d, int64_t i) HWY_ATTR {
    const auto out = load(d, dy + i);
    const auto xn = normed(d, i);
    store(hn::MulAdd(out, xn, load(d, d_gamma + i)), d, d_gamma + i);
    store(hn::Add(out, load(d, d_beta + i)), d, d_beta + i);
    const auto centred = hn::Sub(scaled(d, i), hn::Set(d, mean_g));
    auto grad = hn::Mul(hn::NegMulAdd(xn, hn::Set(d, mean_gx), centred), hn::Set(d, rstd));
    if (residual != nullptr) grad = hn::Add(grad, load(d, residual + i));
    store(grad, d, dx + i);
  });
}

// sums: this part's [2, h], d_gamma's before d_beta's, already zero.
template <class T>
void layer_norm_backward_part(const LayerNormBackward<T>& a, const Part& part, Wide<T>* sums) {
  for (int64_t r = part.begin; r < part.end; ++r) {
    layer_norm_backward_row(a, r, sums, sums + a.h);
  }
}

inline LayerNormTables layer_norm_tables() {
  return {{layer_norm_forward_part<float>, layer_norm_backward_part<float>},
          {layer_norm_forward_part<double>, layer_norm_backward_part<double>},
          {layer_norm_forward_part<bfloat16>, layer_norm_backward_part<bfloat16>}};
}

}  // namespace bench::kernels::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
