#pragma once
// Scale, causal mask and softmax in one (Shoeybi 2019, Narayanan 2021, section 4.2): the pass
// between attention's two products.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "bench/device/context.h"
#include "kernels/args.h"
#include "kernels/rounding.h"

namespace bench::kernels {

// How many columns row r attends to.
constexpr int64_t attended_columns(int64_t r, int64_t seq) { return r % seq + 1; }

template <class T>
void reference_softmax_forward(const SoftmaxForward<T>& a) {
  for (int64_t r = 0; r < a.rows; ++r) {
    const int64_t count = attended_columns(r, a.seq);
    const T* const x = a.x + r * a.seq;
    std::vector<double> y(static_cast<size_t>(a.seq));
    double most = x[0], sum = 0;
    for (int64_t c = 0; c < count; ++c) most = std::max(most, static_cast<double>(x[c]));
    for (int64_t c = 0; c < count; ++c) sum += y[c] = std::exp(a.scale * (x[c] - most));
    for (int64_t c = 0; c < a.seq; ++c) a.y[r * a.seq + c] = static_cast<T>(y[c] / sum);
  }
}

// dx = scale y (dy - sum y dy), zero where masked.
template <class T>
void reference_softmax_backward(const SoftmaxBackward<T>& a) {
  for (int64_t r = 0; r < a.rows; ++r) {
    const int64_t first = r * a.seq, count = attended_columns(r, a.seq);
    double mean = 0;
    for (int64_t i = first; i < first + count; ++i) mean += static_cast<double>(a.y[i]) * a.dy[i];
    for (int64_t i = first; i < first + a.seq; ++i) {
      a.dx[i] = static_cast<T>(i < first + count ? a.scale * a.y[i] * (a.dy[i] - mean) : 0);
    }
  }
}

template <class T>
double softmax_tolerance(int64_t seq) {
  return 2 * sum_tolerance<T>(seq);
}

namespace cpu {

template <class T>
void softmax_forward(const Context&, const SoftmaxForward<T>&);
template <class T>
void softmax_backward(const Context&, const SoftmaxBackward<T>&);

}  // namespace cpu
}  // namespace bench::kernels
