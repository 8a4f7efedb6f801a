#pragma once
// Bias and GELU, tanh form (Hendrycks and Gimpel 2016, section 2).

#include <cmath>
#include <cstdint>
#include <vector>

#include "bench/device/context.h"
#include "kernels/args.h"
#include "kernels/rounding.h"

namespace bench::kernels {

inline constexpr double kGeluRoot = 0.79788456080286535588;  // sqrt(2/pi)
inline constexpr double kGeluCubic = 0.044715;

template <class T>
void reference_gelu_forward(const GeluForward<T>& a) {
  for (int64_t i = 0; i < a.n * a.cols; ++i) {
    const double bias = a.bias != nullptr ? static_cast<double>(a.bias[i % a.cols]) : 0;
    const double x = a.x[i] + bias;
    a.y[i] = static_cast<T>(0.5 * x * (1 + std::tanh(kGeluRoot * (x + kGeluCubic * x * x * x))));
  }
}

template <class T>
void reference_gelu_backward(const GeluBackward<T>& a) {
  std::vector<double> d_bias(a.cols);
  for (int64_t i = 0; i < a.n * a.cols; ++i) {
    const double bias = a.bias != nullptr ? static_cast<double>(a.bias[i % a.cols]) : 0;
    const double x = a.x[i] + bias;
    const double u = kGeluRoot * (x + kGeluCubic * x * x * x);
    // 1 - tanh^2 as 1/cosh^2: no cancellation where tanh is near one.
    const double dt = kGeluRoot * (1 + 3 * kGeluCubic * x * x) / (std::cosh(u) * std::cosh(u));
    const double dx = a.dy[i] * (0.5 * (1 + std::tanh(u)) + 0.5 * x * dt);
    d_bias[i % a.cols] += dx;
    a.dx[i] = static_cast<T>(dx);
  }
  if (a.d_bias == nullptr) return;
  for (int64_t c = 0; c < a.cols; ++c) {
    a.d_bias[c] = static_cast<Wide<T>>(a.d_bias[c] + d_bias[c]);
  }
}

// x + bias often lies halfway between two bfloat16 numbers, and GELU leaves a large one where it
// is: the last digit then decides which of the two is stored.
template <class T>
constexpr double kGeluTolerance = kElementTolerance<T> + kStoring<T> + kApproximation<T>;

// Of d_bias.
template <class T>
double gelu_bias_tolerance(int64_t n) {
  return kElementTolerance<Wide<T>> + sum_tolerance<Wide<T>>(n) + kApproximation<T>;
}

namespace cpu {

// T is float, double or bfloat16.
template <class T>
void gelu_forward(const Context&, const GeluForward<T>&);
template <class T>
void gelu_backward(const Context&, const GeluBackward<T>&);

}  // namespace cpu
}  // namespace bench::kernels
