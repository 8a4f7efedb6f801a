#include "kernels/cuda/columns.cuh"
#include "kernels/cuda/walk.cuh"
#include "kernels/gelu/op.h"
#include "kernels/registry.h"

namespace bench::kernels::cuda {
namespace {

// With e = exp(-2u), u = sqrt(2/pi) (x + 0.044715 x^3): (1 + tanh(u)) / 2 = 1 / (1 + e), which does
// not cancel where x is far below zero. e's binary logarithm is kept under 115, where the quotient
// is already 0 beside any x.
__device__ float gelu_exponential(float x) {
  constexpr double kFactor = -2 * kGeluRoot * 1.4426950408889634074;
  const float inner =
      fmaf(static_cast<float>(kFactor * kGeluCubic), x * x, static_cast<float>(kFactor));
  return fast_exp2(fminf(115.0f, x * inner));
}

__device__ float gelu(float x) { return x * fast_reciprocal(1 + gelu_exponential(x)); }

// With gate g = 1 / (1 + e): y = x g and g' = g (1 - g) 2 u', so dy/dx = g (1 + x (1 - g) 2 u'). 1
// - g is taken as e g, which does not cancel.
__device__ float gelu_slope(float x) {
  x = fabsf(x) > 10 ? copysignf(10, x)
                    : x;  // 0 or 1 from there on, and the square of x may be none
  const float e = gelu_exponential(x), g = fast_reciprocal(1 + e);
  const float two_du = fmaf(static_cast<float>(6 * kGeluRoot * kGeluCubic), x * x,
                            static_cast<float>(2 * kGeluRoot));
  return fmaf(g, x * two_du * (e * g), g);
}

template <class T, int N>
struct ForwardWalk {
  static constexpr int kWidth = N, kBlocks = 4, kInFlight = 4;
  GeluForward<T> a;

  using In = Pack<T, N>;
  using Kept = ColumnValues<N>;  // the bias

  __device__ Kept begin(int64_t thread) const { return {a.bias, thread, a.cols}; }
  __device__ In load(int64_t i, int count) const { return cuda::load<N>(a.x + i, count); }
  __device__ void apply(int64_t i, int count, const In& x, const Kept& bias) const {
    float y[N];
#pragma unroll
    for (int k = 0; k < N; ++k) y[k] = gelu(x[k] + bias.at[k]);
    store(a.y + i, rounded<T>(y), count);
  }
  __device__ void end(int64_t, const Kept&) const {}
};

template <class T, int N>
struct BackwardWalk {
  static constexpr int kWidth = N, kBlocks = 2, kInFlight = 4;
  GeluBackward<T> a;
  float* partials = nullptr;  // where nobody wants d_bias

  struct In {
    Pack<T, N> x, dy;
  };
  struct Kept {
    ColumnValues<N> bias;
    ColumnSums<N> sums;
  };

  __device__ Kept begin(int64_t thread) const { return {{a.bias, thread, a.cols}, {}}; }
  __device__ In load(int64_t i, int count) const {
    return {cuda::load<N>(a.x + i, count), cuda::load<N>(a.dy + i, count)};
  }
  __device__ void apply(int64_t i, int count, const In& in, Kept& kept) const {
    float dx[N];
#pragma unroll
    for (int k = 0; k < N; ++k) {
      dx[k] = in.dy[k] * gelu_slope(in.x[k] + kept.bias.at[k]);
      if (k < count) kept.sums.at[k] += dx[k];
    }
    store(a.dx + i, rounded<T>(dx), count);
  }
  __device__ void end(int64_t thread, const Kept& kept) const {
    if (partials != nullptr) kept.sums.keep(partials, thread);
  }
};

template <class T>
void gelu_forward(const Context& context, const GeluForward<T>& a) {
  with_width<T>(aligned(a.x, a.y), [&](auto width) {
    run_walk(context, "gelu forward", ForwardWalk<T, width>{a}, a.n * a.cols, a.cols);
  });
}

template <class T>
void gelu_backward(const Context& context, const GeluBackward<T>& a) {
  with_width<T>(aligned(a.x, a.dy, a.dx), [&](auto width) {
    run_column_walk(context, "gelu backward", BackwardWalk<T, width>{a}, a.n, a.cols, a.d_bias);
  });
}

}  // namespace

void register_gelu_own(VariantList& list) {
  list.add<float, bfloat16>("gelu", "own", DeviceKind::cuda, []<class T>(Ops<T>& ops) {
    ops.gelu_forward = gelu_forward<T>;
    ops.gelu_backward = gelu_backward<T>;
  });
}

}  // namespace bench::kernels::cuda
