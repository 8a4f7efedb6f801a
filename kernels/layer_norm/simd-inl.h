// Vector code of layer norm, read once for each instruction set.
#include "kernels/cpu/pairs-inl.h"

HWY_BEFORE_NAMESPACE();
namespace bench::kernels::cpu::HWY_NAMESPACE {

template <class W>
struct RowMoments {
  W mean, variance;
};

// Mean and variance in one pass, of x - shift. The shift is the mean of the row's first elements:
// it is at most sqrt(h / 64) standard deviations off, so what cancels costs no more than a factor
// of 1 + h / 64, whatever the row's mean is.
template <class T, class Ahead>
HWY_INLINE RowMoments<Wide<T>> row_moments(const T* x, int64_t h, const Ahead& ahead) {
  using W = Wide<T>;
  const int64_t first = HWY_MIN(h, 64);
  const auto plain = [](auto, int64_t, auto* sums, auto v)
                         HWY_ATTR { sums[0] = hn::Add(sums[0], v); };
  const W shift = sum_pairs<T, 1>(first, plain, Nothing(), x)[0] / static_cast<W>(first);
  const auto shifted = [shift](auto d, int64_t, auto* sums, auto v) HWY_ATTR {
    const auto off = hn::Sub(v, hn::Set(d, shift));
    sums[0] = hn::Add(sums[0], off);
    sums[1] = hn::MulAdd(off, off, sums[1]);
  };
  const auto sums = sum_pairs<T, 2>(h, shifted, ahead, x);
  const W per_h = W(1) / static_cast<W>(h), off = sums[0] * per_h;
  // Not std::max: a NaN must stay one.
  const W variance = sums[1] * per_h - off * off;
  return {shift + off, variance < 0 ? W(0) : variance};
}

// Mean and rstd of row r; with a residual the sum is stored first.
template <class T>
HWY_INLINE void layer_norm_statistics(const LayerNormForward<T>& a, int64_t r) {
  const T* x = a.x + r * a.h;
  if (a.residual != nullptr) {
    T* const sum = a.sum + r * a.h;
    const auto add = [](auto, int64_t, auto v, auto w) HWY_ATTR { return hn::Add(v, w); };
    map_pairs<T>(a.h, sum, add, x, a.residual + r * a.h);
    x = sum;
  }
  const auto moments = row_moments(x, a.h, Nothing());
  a.mean[r] = moments.mean;
  a.rstd[r] = Wide<T>(1) / std::sqrt(moments.variance + a.eps);
}

template <class T, bool kStream>
HWY_INLINE void layer_norm_normalise(const LayerNormForward<T>& a, int64_t r, const T* next) {
  const Wide<T> mean = a.mean[r], rstd = a.rstd[r];
  const auto normalise = [mean, rstd](auto d, int64_t, auto v, auto gamma, auto beta) HWY_ATTR {
    const auto normed = hn::Mul(hn::Sub(v, hn::Set(d, mean)), hn::Set(d, rstd));
    return hn::MulAdd(normed, gamma, beta);
  };
  const auto ahead = [next](int64_t i) HWY_ATTR { prefetch_step(next + i); };
  const T* const x = a.residual == nullptr ? a.x : a.sum;
  map_pairs<T, kStream>(a.h, a.y + r * a.h, normalise, ahead, x + r * a.h, a.gamma, a.beta);
}

// Some rows at a time, few enough to stay in the first cache: the sums of a row are added up across
// lanes, and rooted, while the next one is read.
template <class T, bool kStream>
HWY_INLINE void layer_norm_forward_rows(const LayerNormForward<T>& a, const Part& part) {
  constexpr int64_t kTogetherBytes = 12 << 10;
  const int64_t row_bytes = a.h * static_cast<int64_t>(sizeof(T));
  const int64_t together = HWY_MAX(int64_t{1}, kTogetherBytes / row_bytes);
  for (int64_t first = part.begin; first < part.end; first += together) {
    const int64_t last = HWY_MIN(first + together, part.end);
    for (int64_t r = first; r < last; ++r) layer_norm_statistics(a, r);
    for (int64_t r = first; r < last; ++r) {
      const int64_t next = HWY_MIN(r + together, part.end - 1);
      layer_norm_normalise<T, kStream>(a, r, a.x + next * a.h);
    }
  }
}

template <class T>
void layer_norm_forward_part(const LayerNormForward<T>& a, const Part& part, bool stream) {
  if (stream) {
    layer_norm_forward_rows<T, true>(a, part);
    hwy::FlushStream();
  } else {
    layer_norm_forward_rows<T, false>(a, part);
  }
}

// dx of one row; dy * x' and dy are added to d_gamma and d_beta, at the places of map_pairs.
template <class T, bool kStream>
HWY_INLINE void layer_norm_backward_row(const LayerNormBackward<T>& a, int64_t r, Wide<T>* d_gamma,
                                        Wide<T>* d_beta) {
  using W = Wide<T>;
  const T* const dy = a.dy + r * a.h;
  const T* const x = a.x + r * a.h;
  const W mean = a.mean[r], rstd = a.rstd[r], per_h = W(1) / static_cast<W>(a.h);
  const auto normed = [mean, rstd](auto d, auto v) HWY_ATTR {
    return hn::Mul(hn::Sub(v, hn::Set(d, mean)), hn::Set(d, rstd));
  };
  const auto terms = [&](auto d, int64_t, auto* sums, auto out, auto v, auto gamma) HWY_ATTR {
    const auto g = hn::Mul(out, gamma);
    sums[0] = hn::Add(sums[0], g);
    sums[1] = hn::MulAdd(g, normed(d, v), sums[1]);
  };
  const auto sums = sum_pairs<T, 2>(a.h, terms, Nothing(), dy, x, a.gamma);
  const W mean_g = per_h * sums[0], mean_gx = per_h * sums[1];
  const auto gradient = [&](auto d, int64_t at, auto out, auto v, auto gamma) HWY_ATTR {
    const auto xn = normed(d, v);
    hn::StoreU(hn::MulAdd(out, xn, hn::LoadU(d, d_gamma + at)), d, d_gamma + at);
    hn::StoreU(hn::Add(out, hn::LoadU(d, d_beta + at)), d, d_beta + at);
    const auto centred = hn::MulSub(out, gamma, hn::Set(d, mean_g));
    return hn::Mul(hn::NegMulAdd(xn, hn::Set(d, mean_gx), centred), hn::Set(d, rstd));
  };
  T* const dx = a.dx + r * a.h;
  if (a.d_residual == nullptr) {
    map_pairs<T, kStream>(a.h, dx, gradient, Nothing(), dy, x, a.gamma);
    return;
  }
  const auto with_residual =
      [&](auto d, int64_t at, auto out, auto v, auto gamma, auto residual)
          HWY_ATTR { return hn::Add(gradient(d, at, out, v, gamma), residual); };
  map_pairs<T, kStream>(a.h, dx, with_residual, Nothing(), dy, x, a.gamma, a.d_residual + r * a.h);
}

template <class T>
void layer_norm_backward_part(const LayerNormBackward<T>& a, const Part& part, bool stream,
                              Wide<T>* d_gamma, Wide<T>* d_beta) {
  for (int64_t r = part.begin; r < part.end; ++r) {
    if (stream) {
      layer_norm_backward_row<T, true>(a, r, d_gamma, d_beta);
    } else {
      layer_norm_backward_row<T, false>(a, r, d_gamma, d_beta);
    }
  }
  if (stream) hwy::FlushStream();
}

template <class T>
LayerNormParts<T> layer_norm_parts() {
  return {layer_norm_forward_part<T>, layer_norm_backward_part<T>, add_in_order<T>};
}

inline LayerNormTables layer_norm_tables() {
  return {layer_norm_parts<float>(), layer_norm_parts<double>(), layer_norm_parts<bfloat16>()};
}

}  // namespace bench::kernels::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
