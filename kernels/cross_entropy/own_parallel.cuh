#pragma once
// Cross entropy in two passes, with whatever is reduced over ranks in between.

#include "kernels/cross_entropy/op.h"
#include "kernels/cross_entropy/own_math.cuh"
#include "kernels/cuda/launch.cuh"
#include "kernels/cuda/reduce.cuh"
#include "kernels/cuda/span.h"

namespace bench::kernels::cuda {
namespace {

constexpr int kThreads = 256;  // of a row
constexpr int kInFlight = 4;   // packs that a thread asks for before it uses the first

template <class T>
struct Chunk {
  static constexpr int N = kPackWidth<T>;
  Pack<T, N> packs[kInFlight];

  // Packs first, first + kThreads, ...; -infinity past the end.
  __device__ void load_from(const T* body, int64_t first, int64_t end) {
#pragma unroll
    for (int u = 0; u < kInFlight; ++u) {
      const int64_t pack = first + u * kThreads;
      if (pack < end) {
        packs[u] = load<N>(body + pack * N);
      } else {
        float none[N];
#pragma unroll
        for (int i = 0; i < N; ++i) none[i] = -INFINITY;
        packs[u] = rounded<T>(none);
      }
    }
  }
  __device__ void add_to(OnlineSum& total) const {
    float most = total.most;
#pragma unroll
    for (int u = 0; u < kInFlight; ++u) {
#pragma unroll
      for (int i = 0; i < N; ++i) most = fmaxf(most, packs[u][i]);
    }
    total.raise(most);
    float sum = 0;
#pragma unroll
    for (int u = 0; u < kInFlight; ++u) {
#pragma unroll
      for (int i = 0; i < N; ++i) sum += relative_exp(packs[u][i], total.base);
    }
    total.sum += sum;
  }
};

// A block takes a row.
template <class T>
__global__ void __launch_bounds__(kThreads)
    exponential_sums(const __grid_constant__ CrossEntropyForward<T> a) {
  constexpr int N = kPackWidth<T>;
  __shared__ WarpValues<float> maxima, sums;
  const int64_t r = blockIdx.x;
  const T* const row = a.logits + r * a.cols;
  const Span span = span_of(reinterpret_cast<uint64_t>(row), valid_columns(a), sizeof(T));
  OnlineSum total;
  for (int64_t i = threadIdx.x; i < span.head + span.tail; i += kThreads) {
    const auto x = static_cast<float>(row[span.outside(i, N)]);
    total.raise(x);
    total.sum += relative_exp(x, total.base);
  }
  for (int64_t pack = threadIdx.x; pack < span.packs; pack += kInFlight * kThreads) {
    Chunk<T> chunk;
    chunk.load_from(row + span.head, pack, span.packs);
    chunk.add_to(total);
  }
  const float most = row_max(total.most, maxima);
  const float sum = row_sum(total.relative_to(most), sums);
  if (threadIdx.x != 0) return;
  const int64_t target = target_column(a, r);
  a.local_max[r] = most;
  a.sum_and_target[r] = sum;
  a.sum_and_target[a.n + r] = target >= 0 ? static_cast<float>(row[target]) : 0.0f;
}

__global__ void __launch_bounds__(kThreads)
    rescale_sums(int64_t n, const float* local_max, const float* row_max, float* sum) {
  const int64_t r = int64_t{blockIdx.x} * kThreads + threadIdx.x;
  if (r < n) sum[r] *= expf(local_max[r] - row_max[r]);
}

template <class T>
__device__ void write_loss(const CrossEntropyGrad<T>& a, int64_t r) {
  a.loss[r] = logf(a.sum_and_target[r]) + (a.row_max[r] - a.sum_and_target[a.n + r]);
}

template <class T>
__global__ void __launch_bounds__(kThreads) losses(const __grid_constant__ CrossEntropyGrad<T> a) {
  const int64_t r = int64_t{blockIdx.x} * kThreads + threadIdx.x;
  if (r < a.n) write_loss(a, r);
}

// The row's span in both arrays, which may be one.
template <class T>
__device__ Span span_of_both(const T* from, const T* to, int64_t size) {
  const auto address = reinterpret_cast<uint64_t>(from);
  const bool alike = (address ^ reinterpret_cast<uint64_t>(to)) % 16 == 0;
  return alike ? span_of(address, size, sizeof(T)) : span_without_packs(size);
}

// A block takes a row.
template <class T>
__global__ void __launch_bounds__(kThreads)
    loss_and_grad(const __grid_constant__ CrossEntropyGrad<T> a) {
  constexpr int N = kPackWidth<T>;
  const int64_t r = blockIdx.x, valid = valid_columns(a);
  const T* const row = a.logits + r * a.cols;
  T* const grad = a.d_logits + r * a.cols;
  const RowGrad made(a.row_max[r], a.sum_and_target[r], a.scale, target_column(a, r));
  const Span span = span_of_both<T>(row, grad, valid);
  for (int64_t first = threadIdx.x; first < span.packs; first += kInFlight * kThreads) {
    Pack<T, N> in[kInFlight];
#pragma unroll
    for (int u = 0; u < kInFlight; ++u) {
      const int64_t pack = first + u * kThreads;
      if (pack < span.packs) in[u] = load<N>(row + span.head + pack * N);
    }
#pragma unroll
    for (int u = 0; u < kInFlight; ++u) {
      const int64_t pack = first + u * kThreads, column = span.head + pack * N;
      if (pack < span.packs) store(grad + column, made.of(in[u], column));
    }
  }
  for (int64_t i = threadIdx.x; i < span.head + span.tail; i += kThreads) {
    const int64_t column = span.outside(i, N);
    store(grad + column, made.of(load<1>(row + column), column));
  }
  for (int64_t c = valid + threadIdx.x; c < a.cols; c += kThreads) store(grad + c, Pack<T, 1>{});
  if (threadIdx.x == 0) write_loss(a, r);
}

LaunchShape thread_for_each(int64_t n) {
  return {.blocks = static_cast<unsigned>((n + kThreads - 1) / kThreads), .threads = kThreads};
}

LaunchShape block_for_each(int64_t n) {
  return {.blocks = static_cast<unsigned>(n), .threads = kThreads};
}

template <class T>
void cross_entropy_forward(const Context& context, const CrossEntropyForward<T>& a) {
  launch(context, "cross entropy forward", block_for_each(a.n), exponential_sums<T>, a);
}

template <class T>
void cross_entropy_rescale(const Context& context, const CrossEntropyRescale<T>& a) {
  launch(context, "cross entropy rescale", thread_for_each(a.n), rescale_sums, a.n, a.local_max,
         a.row_max, a.sum);
}

template <class T>
void cross_entropy_grad(const Context& context, const CrossEntropyGrad<T>& a) {
  if (a.d_logits == nullptr) {
    launch(context, "cross entropy losses", thread_for_each(a.n), losses<T>, a);
  } else {
    launch(context, "cross entropy gradient", block_for_each(a.n), loss_and_grad<T>, a);
  }
}

}  // namespace
}  // namespace bench::kernels::cuda
