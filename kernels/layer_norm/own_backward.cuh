#pragma once
// Layer norm backward: blocks that stay walk over the rows; each thread has the same columns of all
// its rows, so that it keeps their sums for d_gamma and d_beta in registers.

#include "kernels/cuda/columns.cuh"
#include "kernels/cuda/rows.cuh"
#include "kernels/layer_norm/op.h"

namespace bench::kernels::cuda {

constexpr int kBackwardWarps = 16;  // of a block, of which a multiprocessor runs one

// Over the threads of a row, each row of the block for itself. `turn` differs from one sum to the
// next: the other half of `values` may still be read.
__device__ inline float2 row_sums(float2 x, int turn, float2 (&values)[2][kBackwardWarps]) {
  x = {warp_sum(x.x), warp_sum(x.y)};
  const int warps = static_cast<int>(blockDim.x) / kWarp;
  if (warps == 1) return x;
  const int row = static_cast<int>(threadIdx.y);
  float2* const mine = values[turn % 2] + row * warps;
  if (lane() == 0) mine[threadIdx.x / kWarp] = x;
  wait_at(1 + row, static_cast<int>(blockDim.x));
  float2 sum = mine[0];
#pragma unroll 4
  for (int w = 1; w < warps; ++w) sum.x += mine[w].x, sum.y += mine[w].y;
  return sum;
}

// to[c] = the sum over the block's rows of threads, one after the other, of what they have for
// column c. Takes threads · K · N floats of launched memory.
template <class Columns>
__device__ void add_up_block(const Columns& columns, const float (&sums)[Columns::K][Columns::N],
                             int cols, float* to) {
  constexpr int N = Columns::N, K = Columns::K;
  float* const memory = launched_memory();
  const int stride = static_cast<int>(blockDim.x) * K * N;  // no less than cols
  float* const mine = memory + static_cast<int>(threadIdx.y) * stride;
  __syncthreads();  // its last readers are done
#pragma unroll
  for (int k = 0; k < K; ++k) {
    if constexpr (Columns::kShifted) {
#pragma unroll
      for (int i = 0; i < N; ++i) {
        if (columns.inside(k, i)) mine[columns.at(k) + i] = sums[k][i];
      }
    } else {
      store_pack(columns, mine, k, rounded<float>(sums[k]));
    }
  }
  __syncthreads();
  const int threads = static_cast<int>(blockDim.x * blockDim.y);
  for (int c = static_cast<int>(threadIdx.y * blockDim.x + threadIdx.x); c < cols; c += threads) {
    float sum = memory[c];
#pragma unroll 4
    for (int row = 1; row < static_cast<int>(blockDim.y); ++row) sum += memory[row * stride + c];
    to[c] = sum;
  }
}

// Asks for row r, where there is one, so that it is in the second-level cache when it is loaded:
// registers do not hold more rows than one.
template <class T>
__device__ void ask_for_row(const LayerNormBackward<T>& a, int64_t r) {
  constexpr int kLine = 128 / static_cast<int>(sizeof(T));  // elements
  // A warp's part of a row has fewer lines than the warp has threads.
  const int64_t c = int64_t{threadIdx.x} * kLine;
  if (r >= a.n || c >= a.h) return;
  prefetch(a.dy + r * a.h + c);
  prefetch(a.x + r * a.h + c);
  if (a.d_residual != nullptr) prefetch(a.d_residual + r * a.h + c);
}

// With g = dy gamma and x' = (x - mean) rstd: dx = rstd (g - mean(g) - x' mean(g x')). partials:
// [blocks, 2, h], d_gamma's part and d_beta's.
template <class T, class Columns, bool kResidual>
__global__ void __launch_bounds__(kBackwardWarps* kWarp)
    grad_of_rows(const __grid_constant__ LayerNormBackward<T> a, float* partials) {
  constexpr int N = Columns::N, K = Columns::K;
  __shared__ float2 values[2][kBackwardWarps];
  const int64_t at = int64_t{blockIdx.x} * blockDim.y + threadIdx.y;
  const int64_t stride = row_stride<Columns>(a.n);
  const auto columns = Columns::of_row(at, at + 1, a.h);  // of all the thread's rows
  int64_t r = at < stride ? at : a.n;
  ask_for_row(a, r);
  const SharedRow<Columns> gammas(0);
  gammas.fill(columns, a.gamma);
  __syncthreads();
  const float per_h = 1 / static_cast<float>(a.h);
  float d_gamma[K][N] = {}, d_beta[K][N] = {};
  Pack<T, N> dy[K] = {}, x[K] = {}, residual[K] = {};

  for (int turn = 0; r < a.n; r += stride, ++turn) {
    const int64_t first = r * a.h, there = (a.n - r) * a.h;
    load_row(columns, a.dy + first, there, dy);
    load_row(columns, a.x + first, there, x);
    if constexpr (kResidual) load_row(columns, a.d_residual + first, there, residual);
    ask_for_row(a, r + stride);
    const float rstd = a.rstd[r], shift = -a.mean[r] * rstd;
    float2 sums{};
#pragma unroll
    for (int k = 0; k < K; ++k) {
      float gamma[N];
      gammas.read(k, gamma);
#pragma unroll
      for (int i = 0; i < N; ++i) {
        const float g = dy[k][i] * gamma[i], normed = fmaf(x[k][i], rstd, shift);
        sums.x += g;
        sums.y = fmaf(g, normed, sums.y);
        d_beta[k][i] += dy[k][i];
        d_gamma[k][i] = fmaf(dy[k][i], normed, d_gamma[k][i]);
      }
    }
    sums = row_sums(sums, turn, values);
    // dx = g rstd + x by_x + rest
    const float mean_gx = sums.y * per_h, by_x = -rstd * rstd * mean_gx;
    const float rest = -rstd * fmaf(shift, mean_gx, sums.x * per_h);
#pragma unroll
    for (int k = 0; k < K; ++k) {
      float gamma[N], dx[N];
      gammas.read(k, gamma);
#pragma unroll
      for (int i = 0; i < N; ++i) {
        dx[i] = fmaf(dy[k][i] * gamma[i], rstd, fmaf(x[k][i], by_x, rest));
        if constexpr (kResidual) dx[i] += residual[k][i];
      }
      store_pack(columns, a.dx + first, k, rounded<T>(dx));
    }
  }
  float* const to = partials + int64_t{blockIdx.x} * 2 * a.h;
  add_up_block(columns, d_gamma, static_cast<int>(a.h), to);
  add_up_block(columns, d_beta, static_cast<int>(a.h), to + a.h);
}

// Rows too long to be kept: a block reads each twice, and has its sums in `partials`.
template <class T>
__global__ void __launch_bounds__(kMostThreads)
    grad_of_long_rows(const __grid_constant__ LayerNormBackward<T> a, float* partials) {
  float* const d_gamma = partials + 2 * blockIdx.x * a.h;
  float* const d_beta = d_gamma + a.h;
  for (int64_t c = threadIdx.x; c < a.h; c += kMostThreads) d_gamma[c] = d_beta[c] = 0;
  for (int64_t r = blockIdx.x; r < a.n; r += gridDim.x) {
    __shared__ WarpValues<float> of_g, of_gx;
    const T* const dy = a.dy + r * a.h;
    const T* const x = a.x + r * a.h;
    const float mean = a.mean[r], rstd = a.rstd[r];
    float sum_g = 0, sum_gx = 0;
    for (int64_t c = threadIdx.x; c < a.h; c += kMostThreads) {
      const float out = static_cast<float>(dy[c]), g = out * static_cast<float>(a.gamma[c]);
      const float normed = (static_cast<float>(x[c]) - mean) * rstd;
      sum_g += g;
      sum_gx = fmaf(g, normed, sum_gx);
      d_gamma[c] = fmaf(out, normed, d_gamma[c]);
      d_beta[c] += out;
    }
    const float mean_g = row_sum(sum_g, of_g) / static_cast<float>(a.h);
    const float mean_gx = row_sum(sum_gx, of_gx) / static_cast<float>(a.h);
    for (int64_t c = threadIdx.x; c < a.h; c += kMostThreads) {
      const float g = static_cast<float>(dy[c]) * static_cast<float>(a.gamma[c]);
      const float normed = (static_cast<float>(x[c]) - mean) * rstd;
      float dx[1] = {rstd * (g - mean_g - normed * mean_gx)};
      if (a.d_residual != nullptr) dx[0] += static_cast<float>(a.d_residual[r * a.h + c]);
      store(a.dx + r * a.h + c, rounded<T>(dx));
    }
    __syncthreads();  // before of_g and of_gx are written again
  }
}

template <class T>
void layer_norm_backward(const Context& context, const LayerNormBackward<T>& a) {
  constexpr const char* kName = "layer norm backward";
  if (a.n * a.h == 0) return;
  const int64_t blocks = at_least_a_pack_of(multiprocessors());
  auto* const partials = reinterpret_cast<float*>(
      scratch(context, static_cast<size_t>(blocks * 2 * a.h) * sizeof(float)));
  const bool is_aligned = aligned(a.dy, a.x, a.d_residual, a.dx);
  with_row_width<T>(is_aligned, a.h, [&](auto width, auto shifted) {
    // Beside a row there are two sums in float for every column; a shifted one takes some more.
    constexpr int kElements = sizeof(T) == 2 ? (shifted ? 16 : 24) : (shifted ? 12 : 16);
    constexpr int kMost = kMostPacks<width, kElements>;
    const RowPlan plan =
        plan_rows(packed_columns(a.h, width, shifted), width,
                  {.packs = kMost, .warps = kBackwardWarps, .block_warps = kBackwardWarps});
    LaunchShape shape{.blocks = static_cast<unsigned>(blocks), .threads = kMostThreads};
    if (!plan.fits) return launch(context, kName, shape, grad_of_long_rows<T>, a, partials);
    shape.threads = shape_of(plan, a.n).threads;
    with_row_packs<width, kMost>(plan, [&](auto k) {
      using Columns = RowColumns<width, k, shifted>;
      // For gamma first, then for the sums of all rows of threads.
      shape.shared_bytes = sizeof(float) * shape.threads.x * shape.threads.y * k * width;
      const auto kernel = a.d_residual != nullptr ? grad_of_rows<T, Columns, true>
                                                  : grad_of_rows<T, Columns, false>;
      launch(context, kName, shape, kernel, a, partials);
    });
  });
  add_columns(context, {.partials = partials,
                        .rows = blocks,
                        .cols = 2 * a.h,
                        .to = a.d_gamma,
                        .others = a.d_beta,
                        .split = a.h});
}

}  // namespace bench::kernels::cuda
