#include <cmath>

#include "kernels/adamw/op.h"
#include "kernels/cuda/walk.cuh"
#include "kernels/registry.h"

namespace bench::kernels::cuda {
namespace {

// What is the same for every element, computed in double.
struct Factors {
  float clip, beta1, rest1, beta2, rest2;
  float rate;             // lr / (1 - beta1^step)
  float per_correction2;  // 1 / (1 - beta2^step)
  float eps;
  float decay;  // lr * weight_decay
};

// As clip_factor, step_number and learning_rate (kernels/adamw/op.h), which are the host's.
template <class T>
__device__ Factors factors_of(const AdamW<T>& a) {
  double clip = a.clip;
  if (a.squared_norm != nullptr) {
    const double factor = a.clip / (sqrt(*a.squared_norm) + 1e-6);
    clip = factor > 1 ? 1 : factor;
  }
  const auto step = static_cast<double>(a.step_at != nullptr ? *a.step_at : a.step);
  const double lr = a.lr_at != nullptr ? *a.lr_at : a.lr;
  return {.clip = static_cast<float>(clip),
          .beta1 = static_cast<float>(a.beta1),
          .rest1 = static_cast<float>(1 - a.beta1),
          .beta2 = static_cast<float>(a.beta2),
          .rest2 = static_cast<float>(1 - a.beta2),
          .rate = static_cast<float>(lr / (1 - pow(a.beta1, step))),
          .per_correction2 = static_cast<float>(1 / (1 - pow(a.beta2, step))),
          .eps = static_cast<float>(a.eps),
          .decay = static_cast<float>(lr * a.weight_decay)};
}

template <class T, int N>
struct AdamWWalk {
  static constexpr int kWidth = N, kBlocks = 4, kInFlight = 2;
  AdamW<T> a;

  struct In {
    Pack<float, N> g, w, m, v;
  };
  using Kept = Factors;

  // The powers take a thread about a microsecond: one of each block computes them.
  __device__ Kept begin(int64_t) const {
    __shared__ Factors factors;
    if (threadIdx.x == 0) factors = factors_of(a);
    __syncthreads();
    return factors;
  }
  __device__ In load(int64_t i, int count) const {
    const auto from = [&](const float* array) { return cuda::load<N>(array + i, count); };
    return {from(a.g), from(a.w), from(a.m), from(a.v)};
  }
  __device__ void apply(int64_t i, int count, const In& in, const Kept& f) const {
    float w[N], m[N], v[N];
#pragma unroll
    for (int k = 0; k < N; ++k) {
      const float g = in.g[k] * f.clip;
      m[k] = fmaf(f.beta1, in.m[k], f.rest1 * g);
      v[k] = fmaf(f.beta2, in.v[k], f.rest2 * g * g);
      const float direction = m[k] * f.rate / (sqrtf(v[k] * f.per_correction2) + f.eps);
      w[k] = in.w[k] - fmaf(f.decay, in.w[k], direction);
    }
    store(a.m + i, rounded<float>(m), count);
    store(a.v + i, rounded<float>(v), count);
    store(a.w + i, rounded<float>(w), count);
    if (a.copy != nullptr) store(a.copy + i, rounded<T>(w), count);
  }
  __device__ void end(int64_t, const Kept&) const {}
};

template <class T>
void adamw(const Context& context, const AdamW<T>& a) {
  with_width<float>(aligned(a.g, a.w, a.m, a.v, a.copy), [&](auto width) {
    run_walk(context, "AdamW", AdamWWalk<T, width>{a}, a.size);
  });
}

}  // namespace

void register_adamw_own(VariantList& list) {
  list.add<float, bfloat16>("adamw", "own", DeviceKind::cuda,
                            []<class T>(Ops<T>& ops) { ops.adamw = adamw<T>; });
}

}  // namespace bench::kernels::cuda
