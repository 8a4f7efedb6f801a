#pragma once
// Sums of exponentials and what the gradient is made with, as both forms compute them.

#include <cmath>

#include "kernels/cuda/device.cuh"
#include "kernels/cuda/pack.cuh"

namespace bench::kernels::cuda {

constexpr float kLog2e = 1.44269504f;

// e^x = 2^(x log2 e - base) 2^base: the difference is one operation, exact but for its own
// rounding, so a base may be any number near the logarithm of what the sum is to be relative to.
__device__ inline float relative_exp(float x, float base) {
  return fast_exp2(fmaf(x, kLog2e, -base));
}

// Of the maximum. Where all are -infinity, -infinity must not be taken from them.
__device__ inline float base_of(float most) { return most == -INFINITY ? 0.0f : most * kLog2e; }

// A maximum, and a sum of exponentials relative to its base. A NaN is in the sum, whatever the
// maximum makes of it.
struct OnlineSum {
  float most = -INFINITY, base = 0, sum = 0;

  // Of what is added next, before it is added.
  __device__ void raise(float other) {
    if (!(other > most)) return;
    const float before = most == -INFINITY ? -INFINITY : base;
    most = other;
    base = base_of(other);
    sum *= fast_exp2(before - base);
  }
  // Relative to the exponential of the maximum of all.
  __device__ float relative_to(float top) const {
    return sum == 0 ? 0.0f : sum * fast_exp2(fmaf(-top, kLog2e, base));
  }
};

// What the gradient of a row is made with.
struct RowGrad {
  float base, factor, scale;
  int64_t target;  // column, or -1

  // `sum` is relative to the exponential of `most`.
  __device__ RowGrad(float most, float sum, float scale_, int64_t target_)
      : base(base_of(most)),
        factor(scale_ / sum * fast_exp2(fmaf(-most, kLog2e, base))),
        scale(scale_),
        target(target_) {}

  // From `column` on. The target's element is the only one that is not its probability.
  template <class T, int N>
  __device__ Pack<T, N> of(const Pack<T, N>& x, int64_t column) const {
    float grad[N];
#pragma unroll
    for (int i = 0; i < N; ++i) grad[i] = relative_exp(x[i], base) * factor;
    if (target >= column && target < column + N) {
#pragma unroll
      for (int i = 0; i < N; ++i) grad[i] -= column + i == target ? scale : 0.0f;
    }
    return rounded<T>(grad);
  }
};

}  // namespace bench::kernels::cuda
