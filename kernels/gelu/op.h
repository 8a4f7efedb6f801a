#pragma once
// GELU, tanh form (Hendrycks and Gimpel 2016, section 2).

#include <cmath>
#include <cstdint>

#include "bench/device/context.h"
#include "kernels/args.h"
#include "kernels/rounding.h"

namespace bench::kernels {

inline constexpr double kGeluRoot = 0.79788456080286535588;  // sqrt(2/pi)
inline constexpr double kGeluCubic = 0.044715;

template <class T>
void reference_gelu_forward(const GeluForward<T>& a) {
  for (int64_t i = 0; i < a.size; ++i) {
    const double x = a.x[i];
    a.y[i] = static_cast<T>(0.5 * x * (1 + std::tanh(kGeluRoot * (x + kGeluCubic * x * x * x))));
  }
}

template <class T>
void reference_gelu_backward(const GeluBackward<T>& a) {
  for (int64_t i = 0; i < a.size; ++i) {
    const double x = a.x[i];
    const double u = kGeluRoot * (x + kGeluCubic * x * x * x);
    // 1 - tanh^2 as 1/cosh^2: no cancellation where tanh is near one.
    const double dt = kGeluRoot * (1 + 3 * kGeluCubic * x * x) / (std::cosh(u) * std::cosh(u));
    a.dx[i] = static_cast<T>(a.dy[i] * (0.5 * (1 + std::tanh(u)) + 0.5 * x * dt));
  }
}

template <class T>
constexpr double kGeluTolerance = kElementTolerance<T>;

namespace cpu {

// T is float, double or bfloat16.
template <class T>
void gelu_forward(const Context&, const GeluForward<T>&);
template <class T>
void gelu_backward(const Context&, const GeluBackward<T>&);

}  // namespace cpu
}  // namespace bench::kernels
