#pragma once
// Layer norm forward: a row stays in registers from its only reading to its only writing.

#include "kernels/cuda/rows.cuh"
#include "kernels/layer_norm/op.h"

namespace bench::kernels::cuda {

// Of the first thread of a row.
template <class T>
__device__ void write_moments(const LayerNormForward<T>& a, int64_t r, float mean, float rstd) {
  if (threadIdx.x != 0) return;
  a.mean[r] = mean;
  a.rstd[r] = rstd;
}

// A thread's part of x, or of x + residual, rounded as it is stored: the statistics are those of
// what is stored.
template <class Columns, class T>
__device__ void load_summed(const LayerNormForward<T>& a, int64_t r, const Columns& columns,
                            float (&x)[Columns::K][Columns::N]) {
  constexpr int N = Columns::N, K = Columns::K;
  const int64_t first = r * a.h, there = (a.n - r) * a.h;
  Pack<T, N> in[K] = {}, residual[K] = {};
  load_row(columns, a.x + first, there, in);
  if (a.residual != nullptr) load_row(columns, a.residual + first, there, residual);
#pragma unroll
  for (int k = 0; k < K; ++k) {
    if (a.residual != nullptr) {
      float sum[N];
#pragma unroll
      for (int i = 0; i < N; ++i) sum[i] = in[k][i] + residual[k][i];
      in[k] = rounded<T>(sum);
      store_pack(columns, a.sum + first, k, in[k]);
    }
#pragma unroll
    for (int i = 0; i < N; ++i) x[k][i] = in[k][i];
  }
}

// Blocks that stay walk over the rows, blockDim.y at a time. Neither array of a reduction is
// written again before all have read it: the other reduction's barrier is between.
template <class T, class Columns>
__global__ void __launch_bounds__(kMostThreads)
    normalise_rows(const __grid_constant__ LayerNormForward<T> a) {
  constexpr int N = Columns::N, K = Columns::K;
  __shared__ WarpValues<float> sums, squares;
  const int64_t at = int64_t{blockIdx.x} * blockDim.y + threadIdx.y;
  const int64_t stride = row_stride<Columns>(a.n);
  const SharedRow<Columns> gammas(0), betas(1);
  gammas.fill(Columns::of_row(at, at + 1, a.h), a.gamma);
  betas.fill(Columns::of_row(at, at + 1, a.h), a.beta);
  __syncthreads();
  const float per_h = 1 / static_cast<float>(a.h);
  // All threads of the block have as many turns.
  for (int64_t base = 0; base < a.n; base += stride) {
    const int64_t r = at < stride ? base + at : a.n;
    const auto columns = Columns::of_row(r, a.n, a.h);
    float x[K][N], sum = 0, square = 0;
    load_summed(a, r, columns, x);
#pragma unroll
    for (int k = 0; k < K; ++k) {
#pragma unroll
      for (int i = 0; i < N; ++i) sum += x[k][i];
    }
    const float mean = row_sum(sum, sums) * per_h;
#pragma unroll
    for (int k = 0; k < K; ++k) {
#pragma unroll
      for (int i = 0; i < N; ++i) {
        x[k][i] -= mean;
        if (columns.inside(k, i)) square = fmaf(x[k][i], x[k][i], square);
      }
    }
    const float rstd = rsqrtf(row_sum(square, squares) * per_h + a.eps);
#pragma unroll
    for (int k = 0; k < K; ++k) {
      float gamma[N], beta[N], y[N];
      gammas.read(k, gamma);
      betas.read(k, beta);
#pragma unroll
      for (int i = 0; i < N; ++i) y[i] = fmaf(x[k][i] * rstd, gamma[i], beta[i]);
      store_pack(columns, a.y + r * a.h, k, rounded<T>(y));
    }
    if (r < a.n) write_moments(a, r, mean, rstd);
  }
}

// Rows too long to be kept: a block reads each again for every step.
template <class T>
__global__ void __launch_bounds__(kMostThreads)
    normalise_long_rows(const __grid_constant__ LayerNormForward<T> a) {
  __shared__ WarpValues<float> sums, squares;
  const int64_t r = blockIdx.x, first = r * a.h, end = first + a.h, from = first + threadIdx.x;
  // Each thread meets the elements again that it has written itself.
  const T* x = a.x;
  float sum = 0, square = 0;
  for (int64_t i = from; i < end; i += kMostThreads) {
    if (a.residual != nullptr) {
      const float both[1] = {static_cast<float>(a.x[i]) + static_cast<float>(a.residual[i])};
      store(a.sum + i, rounded<T>(both));
      sum += rounded<T>(both)[0];
    } else {
      sum += static_cast<float>(a.x[i]);
    }
  }
  if (a.residual != nullptr) x = a.sum;
  const float per_h = 1 / static_cast<float>(a.h), mean = row_sum(sum, sums) * per_h;
  for (int64_t i = from; i < end; i += kMostThreads) {
    const float off = static_cast<float>(x[i]) - mean;
    square = fmaf(off, off, square);
  }
  const float rstd = rsqrtf(row_sum(square, squares) * per_h + a.eps);
  for (int64_t i = from; i < end; i += kMostThreads) {
    const float normed = (static_cast<float>(x[i]) - mean) * rstd;
    const float y[1] = {fmaf(normed, static_cast<float>(a.gamma[i - first]),
                             static_cast<float>(a.beta[i - first]))};
    store(a.y + i, rounded<T>(y));
  }
  write_moments(a, r, mean, rstd);
}

template <class T>
void layer_norm_forward(const Context& context, const LayerNormForward<T>& a) {
  constexpr const char* kName = "layer norm forward";
  const bool is_aligned = aligned(a.x, a.residual, a.sum, a.y);
  with_row_width<T>(is_aligned, a.h, [&](auto width, auto shifted) {
    constexpr int kMost = kMostPacks<width, 4 * kPackWidth<T>>;
    constexpr int kMostShared = 16384;  // columns: 128 KiB of gamma and beta
    constexpr int kWarps = std::min(kMostWarps, kMostShared / (kWarp * kMost * width));
    const RowPlan plan = plan_rows(packed_columns(a.h, width, shifted), width,
                                   {.packs = kMost, .warps = kWarps, .block_warps = 8});
    LaunchShape shape{.blocks = static_cast<unsigned>(a.n), .threads = kMostThreads};
    if (!plan.fits) return launch(context, kName, shape, normalise_long_rows<T>, a);
    shape = shape_of(plan, a.n);
    shape.blocks.x = std::min(shape.blocks.x, resident_blocks(plan));
    with_row_packs<width, kMost>(plan, [&](auto k) {
      using Columns = RowColumns<width, k, shifted>;
      shape.shared_bytes = 2 * sizeof(float) * SharedRow<Columns>::floats(shape.threads);
      launch(context, kName, shape, normalise_rows<T, Columns>, a);
    });
  });
}

}  // namespace bench::kernels::cuda
