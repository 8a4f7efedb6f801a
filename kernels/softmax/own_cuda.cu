#include <cmath>

#include "kernels/cuda/rows.cuh"
#include "kernels/registry.h"
#include "kernels/softmax/op.h"

namespace bench::kernels::cuda {
namespace {

constexpr float kLog2e = 1.44269504f;

// A thread's row, and how much of it counts; nothing past the last row.
template <class Columns>
struct CausalRow {
  int64_t first, there;  // element; elements of the array from there on
  Columns all, attended;

  __device__ CausalRow(int64_t rows, int64_t seq) {
    const int64_t r = int64_t{blockIdx.x} * blockDim.y + threadIdx.y;
    first = r * seq;
    there = (rows - r) * seq;
    all = attended = Columns::of_row(r, rows, seq);
    if (r < rows) attended.cols = static_cast<int>(attended_columns(r, seq));
  }
  __device__ bool attends(int k, int i) const {
    return static_cast<unsigned>(attended.at(k) + i) < static_cast<unsigned>(attended.cols);
  }
};

// The exponentials are kept as floats from the only reading to the only writing.
template <class T, class Columns>
__global__ void __launch_bounds__(kMostThreads)
    softmax_rows(const __grid_constant__ SoftmaxForward<T> a) {
  constexpr int N = Columns::N, K = Columns::K;
  __shared__ WarpValues<float> maxima, sums;
  const CausalRow<Columns> row(a.rows, a.seq);
  Pack<T, N> in[K] = {};
  load_row(row.attended, a.x + row.first, row.there, in);
  float x[K][N], most = -INFINITY, sum = 0;
#pragma unroll
  for (int k = 0; k < K; ++k) {
#pragma unroll
    for (int i = 0; i < N; ++i) {
      x[k][i] = row.attends(k, i) ? in[k][i] : -INFINITY;
      most = fmaxf(most, x[k][i]);
    }
  }
  most = row_max(most, maxima);
#pragma unroll
  for (int k = 0; k < K; ++k) {
#pragma unroll
    for (int i = 0; i < N; ++i) sum += x[k][i] = fast_exp2((x[k][i] - most) * (a.scale * kLog2e));
  }
  const float per_sum = 1 / row_sum(sum, sums);
#pragma unroll
  for (int k = 0; k < K; ++k) {
    float y[N];
#pragma unroll
    for (int i = 0; i < N; ++i) y[i] = row.attends(k, i) ? x[k][i] * per_sum : 0.0f;
    store_pack(row.all, a.y + row.first, k, rounded<T>(y));
  }
}

template <class T, class Columns>
__global__ void __launch_bounds__(kMostThreads)
    softmax_grad_rows(const __grid_constant__ SoftmaxBackward<T> a) {
  constexpr int N = Columns::N, K = Columns::K;
  __shared__ WarpValues<float> sums;
  const CausalRow<Columns> row(a.rows, a.seq);
  Pack<T, N> y[K] = {}, dy[K] = {};
  load_row(row.attended, a.y + row.first, row.there, y);
  load_row(row.attended, a.dy + row.first, row.there, dy);
  float mean = 0;
#pragma unroll
  for (int k = 0; k < K; ++k) {
#pragma unroll
    for (int i = 0; i < N; ++i) {
      if (row.attends(k, i)) mean = fmaf(y[k][i], dy[k][i], mean);
    }
  }
  mean = row_sum(mean, sums);
#pragma unroll
  for (int k = 0; k < K; ++k) {
    float dx[N];
#pragma unroll
    for (int i = 0; i < N; ++i) {
      dx[i] = row.attends(k, i) ? a.scale * y[k][i] * (dy[k][i] - mean) : 0.0f;
    }
    store_pack(row.all, a.dx + row.first, k, rounded<T>(dx));
  }
}

// Rows too long to be kept: a block reads each again for every step.
template <class T>
__global__ void __launch_bounds__(kMostThreads)
    softmax_long_rows(const __grid_constant__ SoftmaxForward<T> a) {
  __shared__ WarpValues<float> maxima, sums;
  const int64_t r = blockIdx.x, count = attended_columns(r, a.seq);
  const T* const x = a.x + r * a.seq;
  float most = -INFINITY, sum = 0;
  for (int64_t c = threadIdx.x; c < count; c += kMostThreads) {
    most = fmaxf(most, static_cast<float>(x[c]));
  }
  most = row_max(most, maxima);
  const auto exponential = [&](int64_t c) {
    return fast_exp2((static_cast<float>(x[c]) - most) * (a.scale * kLog2e));
  };
  for (int64_t c = threadIdx.x; c < count; c += kMostThreads) sum += exponential(c);
  const float per_sum = 1 / row_sum(sum, sums);
  for (int64_t c = threadIdx.x; c < a.seq; c += kMostThreads) {
    const float y[1] = {c < count ? exponential(c) * per_sum : 0.0f};
    store(a.y + r * a.seq + c, rounded<T>(y));
  }
}

template <class T>
__global__ void __launch_bounds__(kMostThreads)
    softmax_grad_long_rows(const __grid_constant__ SoftmaxBackward<T> a) {
  __shared__ WarpValues<float> sums;
  const int64_t r = blockIdx.x, first = r * a.seq, count = attended_columns(r, a.seq);
  const T* const y = a.y + first;
  const T* const dy = a.dy + first;
  float mean = 0;
  for (int64_t c = threadIdx.x; c < count; c += kMostThreads) {
    mean = fmaf(static_cast<float>(y[c]), static_cast<float>(dy[c]), mean);
  }
  mean = row_sum(mean, sums);
  for (int64_t c = threadIdx.x; c < a.seq; c += kMostThreads) {
    float dx[1] = {};
    if (c < count) dx[0] = a.scale * static_cast<float>(y[c]) * (static_cast<float>(dy[c]) - mean);
    store(a.dx + first + c, rounded<T>(dx));
  }
}

// run(columns, shape) with up to kElements elements for a thread, or long_rows(shape).
template <class T, int kElements, class Run, class LongRows>
void with_rows(bool is_aligned, int64_t rows, int64_t seq, const Run& run,
               const LongRows& long_rows) {
  with_row_width<T>(is_aligned, seq, [&](auto width, auto shifted) {
    constexpr int kMost = kMostPacks<width, kElements>;
    const RowPlan plan = plan_rows(packed_columns(seq, width, shifted), width,
                                   {.packs = kMost, .warps = kMostWarps, .block_warps = 8});
    if (!plan.fits) {
      return long_rows({.blocks = static_cast<unsigned>(rows), .threads = kMostThreads});
    }
    with_row_packs<width, kMost>(
        plan, [&](auto k) { run(RowColumns<width, k, shifted>(), shape_of(plan, rows)); });
  });
}

template <class T>
void softmax_forward(const Context& context, const SoftmaxForward<T>& a) {
  constexpr const char* kName = "softmax forward";
  with_rows<T, 4 * kPackWidth<T>>(
      aligned(a.x, a.y), a.rows, a.seq,
      [&](auto columns, const LaunchShape& shape) {
        launch(context, kName, shape, softmax_rows<T, decltype(columns)>, a);
      },
      [&](const LaunchShape& shape) { launch(context, kName, shape, softmax_long_rows<T>, a); });
}

template <class T>
void softmax_backward(const Context& context, const SoftmaxBackward<T>& a) {
  constexpr const char* kName = "softmax backward";
  with_rows<T, 16>(
      aligned(a.dy, a.y, a.dx), a.rows, a.seq,
      [&](auto columns, const LaunchShape& shape) {
        launch(context, kName, shape, softmax_grad_rows<T, decltype(columns)>, a);
      },
      [&](const LaunchShape& shape) {
        launch(context, kName, shape, softmax_grad_long_rows<T>, a);
      });
}

}  // namespace

void register_softmax_own(VariantList& list) {
  list.add<float, bfloat16>("softmax", "own", DeviceKind::cuda, []<class T>(Ops<T>& ops) {
    ops.softmax_forward = softmax_forward<T>;
    ops.softmax_backward = softmax_backward<T>;
  });
}

}  // namespace bench::kernels::cuda
