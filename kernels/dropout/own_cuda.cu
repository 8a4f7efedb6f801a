#include "kernels/cuda/columns.cuh"
#include "kernels/cuda/walk.cuh"
#include "kernels/dropout/op.h"
#include "kernels/dropout/words.h"
#include "kernels/registry.h"

namespace bench::kernels::cuda {
namespace {

// What the elements are multiplied by, 0 or the scale. kWhole: packs begin at multiples of their
// width in the order of the draws, too.
template <int N, bool kWhole>
struct Mask {
  Philox::Schedule keys;
  uint64_t offset;
  uint32_t threshold;  // in the upper half
  float scale;

  template <class Args>
  explicit Mask(const Args& a)
      : keys(dropout_keys(a.seed)),
        offset(a.offset),
        threshold(dropout_threshold(a.rate) << 16),
        scale(static_cast<float>(dropout_scale(a.rate))) {}

  // Of elements i, i + 1, ...
  __device__ void fill(int64_t i, float (&factors)[N]) const {
    const uint64_t position = offset + static_cast<uint64_t>(i);
    if constexpr (N == 1) {
      const auto word = dropout_words<2, true>(keys, position - position % 2)[0];
      factors[0] = factor(position % 2 == 0 ? word << 16 : word);
    } else {
      const auto words = dropout_words<N, kWhole>(keys, position);
#pragma unroll
      for (int k = 0; k < N; k += 2) {
        factors[k] = factor(words[k / 2] << 16);
        factors[k + 1] = factor(words[k / 2]);
      }
    }
  }

  // Of the element whose bits are the upper half: the lower one cannot change the comparison.
  __device__ float factor(uint32_t bits) const { return bits >= threshold ? scale : 0.0f; }
};

template <class T, int N, bool kWhole>
struct ForwardWalk {
  static constexpr int kWidth = N, kBlocks = 3, kInFlight = 4;
  DropoutForward<T> a;
  Mask<N, kWhole> mask;

  struct In {
    Pack<T, N> x, residual;
  };
  using Kept = ColumnValues<N>;  // the bias

  __device__ Kept begin(int64_t thread) const { return {a.bias, thread, a.h}; }
  __device__ In load(int64_t i, int count) const {
    In in{cuda::load<N>(a.x + i, count), {}};
    if (a.residual != nullptr) in.residual = cuda::load<N>(a.residual + i, count);
    return in;
  }
  __device__ void apply(int64_t i, int count, const In& in, const Kept& bias) const {
    float factors[N], y[N];
    mask.fill(i, factors);
#pragma unroll
    for (int k = 0; k < N; ++k) {
      y[k] = fmaf(in.x[k] + bias.at[k], factors[k], in.residual[k]);
    }
    store(a.y + i, rounded<T>(y), count);
  }
  __device__ void end(int64_t, const Kept&) const {}
};

template <class T, int N, bool kWhole>
struct BackwardWalk {
  static constexpr int kWidth = N, kBlocks = 3, kInFlight = 4;
  DropoutBackward<T> a;
  Mask<N, kWhole> mask;
  float* partials = nullptr;  // where nobody wants d_bias

  using In = Pack<T, N>;
  using Kept = ColumnSums<N>;

  __device__ Kept begin(int64_t) const { return {}; }
  __device__ In load(int64_t i, int count) const { return cuda::load<N>(a.dy + i, count); }
  __device__ void apply(int64_t i, int count, const In& dy, Kept& sums) const {
    float factors[N], dx[N];
    mask.fill(i, factors);
#pragma unroll
    for (int k = 0; k < N; ++k) {
      dx[k] = dy[k] * factors[k];
      if (k < count) sums.at[k] += dx[k];
    }
    store(a.dx + i, rounded<T>(dx), count);
  }
  __device__ void end(int64_t thread, const Kept& sums) const {
    if (partials != nullptr) sums.keep(partials, thread);
  }
};

// run(width, whether packs are whole in the order of the draws)
template <class T, class Run>
void with_packs(bool is_aligned, uint64_t offset, const Run& run) {
  with_width<T>(is_aligned, [&](auto width) {
    if constexpr (width == 1) {
      run(width, std::true_type());
    } else if (offset % width == 0) {
      run(width, std::true_type());
    } else {
      run(width, std::false_type());
    }
  });
}

template <class T>
void dropout_forward(const Context& context, const DropoutForward<T>& a) {
  with_packs<T>(aligned(a.x, a.residual, a.y), a.offset, [&](auto width, auto whole) {
    using Op = ForwardWalk<T, width, whole>;
    run_walk(context, "dropout forward", Op{.a = a, .mask = Mask<width, whole>(a)}, a.n * a.h, a.h);
  });
}

template <class T>
void dropout_backward(const Context& context, const DropoutBackward<T>& a) {
  with_packs<T>(aligned(a.dy, a.dx), a.offset, [&](auto width, auto whole) {
    using Op = BackwardWalk<T, width, whole>;
    run_column_walk(context, "dropout backward", Op{.a = a, .mask = Mask<width, whole>(a)}, a.n,
                    a.h, a.d_bias);
  });
}

}  // namespace

void register_dropout_own(VariantList& list) {
  list.add<float, bfloat16>("dropout", "own", DeviceKind::cuda, []<class T>(Ops<T>& ops) {
    ops.dropout_forward = dropout_forward<T>;
    ops.dropout_backward = dropout_backward<T>;
  });
}

}  // namespace bench::kernels::cuda
