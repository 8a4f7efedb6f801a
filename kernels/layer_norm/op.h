#pragma once
// Layer norm over the last axis (Ba, Kiros and Hinton 2016), with the residual addition before it.

#include <cmath>
#include <cstdint>
#include <vector>

#include "bench/device/context.h"
#include "kernels/args.h"
#include "kernels/rounding.h"

namespace bench::kernels {

template <class T>
void reference_layer_norm_forward(const LayerNormForward<T>& a) {
  for (int64_t r = 0; r < a.n; ++r) {
    const T* x = a.x + r * a.h;
    if (a.residual != nullptr) {
      for (int64_t c = 0; c < a.h; ++c) {
        a.sum[r * a.h + c] = static_cast<T>(static_cast<Wide<T>>(x[c]) + a.residual[r * a.h + c]);
      }
      x = a.sum + r * a.h;
    }
    double mean = 0, variance = 0;
    for (int64_t c = 0; c < a.h; ++c) mean += x[c];
    mean /= static_cast<double>(a.h);
    for (int64_t c = 0; c < a.h; ++c) variance += (x[c] - mean) * (x[c] - mean);
    variance /= static_cast<double>(a.h);
    const double rstd = 1 / std::sqrt(variance + a.eps);
    for (int64_t c = 0; c < a.h; ++c) {
      a.y[r * a.h + c] = static_cast<T>((x[c] - mean) * rstd * a.gamma[c] + a.beta[c]);
    }
    a.mean[r] = static_cast<Wide<T>>(mean);
    a.rstd[r] = static_cast<Wide<T>>(rstd);
  }
}

// With g = dy * gamma and x' = (x - mean) * rstd: dx = rstd * (g - mean(g) - x' * mean(g * x')).
template <class T>
void reference_layer_norm_backward(const LayerNormBackward<T>& a) {
  std::vector<double> d_gamma(a.h), d_beta(a.h);
  for (int64_t r = 0; r < a.n; ++r) {
    const auto normed = [&](int64_t c) {
      return (static_cast<double>(a.x[r * a.h + c]) - a.mean[r]) * a.rstd[r];
    };
    double mean_g = 0, mean_gx = 0;
    for (int64_t c = 0; c < a.h; ++c) {
      const double dy = a.dy[r * a.h + c];
      mean_g += dy * a.gamma[c] / static_cast<double>(a.h);
      mean_gx += dy * a.gamma[c] * normed(c) / static_cast<double>(a.h);
      d_gamma[c] += dy * normed(c);
      d_beta[c] += dy;
    }
    for (int64_t c = 0; c < a.h; ++c) {
      const int64_t i = r * a.h + c;
      const double g = static_cast<double>(a.dy[i]) * a.gamma[c];
      const double dx = a.rstd[r] * (g - mean_g - normed(c) * mean_gx);
      a.dx[i] =
          static_cast<T>(dx + (a.d_residual != nullptr ? static_cast<double>(a.d_residual[i]) : 0));
    }
  }
  for (int64_t c = 0; c < a.h; ++c) {
    a.d_gamma[c] = static_cast<Wide<T>>(a.d_gamma[c] + d_gamma[c]);
    a.d_beta[c] = static_cast<Wide<T>>(a.d_beta[c] + d_beta[c]);
  }
}

// Where a result lies about halfway between two bfloat16 numbers, the last digit of the sums
// decides which of them is stored.
template <class T>
double layer_norm_tolerance(int64_t n, int64_t h) {
  return sum_tolerance<T>(n > h ? n : h) + kStoring<T>;
}

namespace cpu {

// T is float, double or bfloat16.
template <class T>
void layer_norm_forward(const Context&, const LayerNormForward<T>&);
template <class T>
void layer_norm_backward(const Context&, const LayerNormBackward<T>&);

}  // namespace cpu
}  // namespace bench::kernels
