#pragma once
// AdamW: Adam with decoupled weight decay (Loshchilov and Hutter 2019, algorithm 2).

#include <cmath>
#include <cstdint>

#include "bench/device/context.h"
#include "kernels/args.h"
#include "kernels/rounding.h"

namespace bench::kernels {

// The factor on the gradient: as given, or what the global norm allows
// (torch.nn.utils.clip_grad_norm_). A NaN in the norm stays one.
inline double clip_factor(double clip, const double* squared_norm) {
  if (squared_norm == nullptr) return clip;
  const double factor = clip / (std::sqrt(*squared_norm) + 1e-6);
  return factor > 1 ? 1 : factor;
}

inline double step_number(int64_t step, const int64_t* step_at) {
  return static_cast<double>(step_at == nullptr ? step : *step_at);
}

inline double learning_rate(double lr, const double* lr_at) {
  return lr_at == nullptr ? lr : *lr_at;
}

template <class T>
void reference_adamw(const AdamW<T>& a) {
  const double clip = clip_factor(a.clip, a.squared_norm), step = step_number(a.step, a.step_at);
  const double lr = learning_rate(a.lr, a.lr_at);
  const double correction1 = 1 - std::pow(a.beta1, step);
  const double correction2 = 1 - std::pow(a.beta2, step);
  for (int64_t i = 0; i < a.size; ++i) {
    const double g = a.g[i] * clip;
    const double m = a.beta1 * a.m[i] + (1 - a.beta1) * g;
    const double v = a.beta2 * a.v[i] + (1 - a.beta2) * g * g;
    const double w = a.w[i];
    const double direction = m / correction1 / (std::sqrt(v / correction2) + a.eps);
    a.m[i] = static_cast<Wide<T>>(m);
    a.v[i] = static_cast<Wide<T>>(v);
    a.w[i] = static_cast<Wide<T>>(w - lr * (direction + a.weight_decay * w));
    if (a.copy != nullptr) a.copy[i] = static_cast<T>(a.w[i]);
  }
}

template <class T>
constexpr double kAdamwTolerance = kElementTolerance<T>;

namespace cpu {

// T is float, double or bfloat16.
template <class T>
void adamw(const Context&, const AdamW<T>&);

}  // namespace cpu
}  // namespace bench::kernels
