#pragma once
// Bias, dropout (Srivastava 2014) and residual addition in one pass; the mask is never stored.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "bench/device/context.h"
#include "kernels/args.h"
#include "kernels/dropout/philox.h"
#include "kernels/rounding.h"

namespace bench::kernels {

// An element is kept where its 16 bits are at least this: rate * 2^16, rounded, below 2^16.
inline uint32_t dropout_threshold(double rate) {
  return static_cast<uint32_t>(std::min(std::lround(rate * 65536), 65535L));
}

// What stays is multiplied by this: the expectation is exact for the rounded rate.
inline double dropout_scale(double rate) { return 65536.0 / (65536 - dropout_threshold(rate)); }

// 0 or the scale.
template <class Args>
double dropout_factor(const Args& a, int64_t i) {
  const uint32_t bits = dropout_bits(a.seed, a.offset + static_cast<uint64_t>(i));
  return bits >= dropout_threshold(a.rate) ? dropout_scale(a.rate) : 0;
}

template <class T>
void reference_dropout_forward(const DropoutForward<T>& a) {
  for (int64_t i = 0; i < a.n * a.h; ++i) {
    const double bias = a.bias != nullptr ? static_cast<double>(a.bias[i % a.h]) : 0;
    const double residual = a.residual != nullptr ? static_cast<double>(a.residual[i]) : 0;
    a.y[i] = static_cast<T>(residual + (a.x[i] + bias) * dropout_factor(a, i));
  }
}

template <class T>
void reference_dropout_backward(const DropoutBackward<T>& a) {
  std::vector<double> d_bias(a.h);
  for (int64_t i = 0; i < a.n * a.h; ++i) {
    const double dx = a.dy[i] * dropout_factor(a, i);
    d_bias[i % a.h] += dx;
    a.dx[i] = static_cast<T>(dx);
  }
  if (a.d_bias == nullptr) return;
  for (int64_t c = 0; c < a.h; ++c) a.d_bias[c] = static_cast<Wide<T>>(a.d_bias[c] + d_bias[c]);
}

template <class T>
constexpr double kDropoutTolerance = kElementTolerance<T>;

// Of d_bias.
template <class T>
double dropout_bias_tolerance(int64_t n) {
  return kElementTolerance<Wide<T>> + sum_tolerance<Wide<T>>(n);
}

namespace cpu {

// T is float, double or bfloat16.
template <class T>
void dropout_forward(const Context&, const DropoutForward<T>&);
template <class T>
void dropout_backward(const Context&, const DropoutBackward<T>&);

// The bits of `size` elements from `position` on, both multiples of 8, on the calling thread.
void dropout_bits(uint64_t seed, uint64_t position, int64_t size, uint16_t* bits);

}  // namespace cpu
}  // namespace bench::kernels
