#pragma once
// Kernels whose threads keep rows in registers: a block has threads (of a row, row), as
// kernels/cuda/rows.h plans them.

#include <cstdint>
#include <type_traits>
#include <utility>

#include "kernels/cuda/launch.cuh"
#include "kernels/cuda/pack.cuh"
#include "kernels/cuda/reduce.cuh"
#include "kernels/cuda/rows.h"
#include "kernels/cuda/walk.cuh"

namespace bench::kernels::cuda {

constexpr int kMostThreads = kMostWarps * kWarp;

// The columns of a thread's K packs, of a row of `cols`.
template <int N, int K>
struct RowColumns {
  int cols;
  __device__ int at(int k) const {
    return (static_cast<int>(threadIdx.x) / kWarp * K * kWarp + k * kWarp + lane()) * N;
  }
  __device__ bool has(int k) const { return at(k) < cols; }
};

// The thread's packs of a row; those that it does not have stay as they are.
template <class T, int N, int K>
__device__ void load_row(const RowColumns<N, K>& columns, const T* row, Pack<T, N> (&to)[K]) {
  const T* const mine = row + columns.at(0);
#pragma unroll
  for (int k = 0; k < K; ++k) {
    if (columns.has(k)) to[k] = load<N>(mine + k * kWarp * N);
  }
}

template <class T, int N, int K>
__device__ void store_pack(const RowColumns<N, K>& columns, T* row, int k, const Pack<T, N>& p) {
  if (columns.has(k)) store(row + columns.at(0) + k * kWarp * N, p);
}

// A row that all rows of a block are computed with, as floats in shared memory. Its order is one in
// which the lanes of a warp meet no bank twice: the first four elements of all lanes' packs, then
// the next.
template <int N, int K>
struct SharedRow {
  float* memory;  // [threads of a row · K · N]

  static constexpr int kTogether = N < 4 ? N : 4;
  __device__ float* place(int k, int part) const {
    const int pack = static_cast<int>(threadIdx.x) / kWarp * K + k;
    return memory + ((pack * (N / kTogether) + part) * kWarp + lane()) * kTogether;
  }
  // By the first row of threads; zero where the row has ended.
  template <class T>
  __device__ void fill(const RowColumns<N, K>& columns, const T* row) const {
    if (threadIdx.y != 0) return;
    Pack<T, N> packs[K] = {};
    load_row(columns, row, packs);
#pragma unroll
    for (int k = 0; k < K; ++k) {
#pragma unroll
      for (int i = 0; i < N; ++i) place(k, i / kTogether)[i % kTogether] = packs[k][i];
    }
  }
  // The thread's pack k.
  __device__ void read(int k, float (&v)[N]) const {
#pragma unroll
    for (int i = 0; i < N; i += kTogether) {
      const auto some = load<kTogether>(static_cast<const float*>(place(k, i / kTogether)));
#pragma unroll
      for (int j = 0; j < kTogether; ++j) v[i + j] = some[j];
    }
  }
};

// What a thread keeps at most, in packs: `kElements` elements, or eight where they are taken one by
// one.
template <int N, int kElements>
constexpr int kMostPacks = N == 1 ? 8 : kElements / N;

// run(packs) for the plan's number of packs, or the next that there is code for.
template <int N, int kMost, class Run>
void with_row_packs(const RowPlan& plan, const Run& run) {
  if constexpr (N == 1) {
    run(std::integral_constant<int, kMost>());
  } else {
    [&]<int... k>(std::integer_sequence<int, k...>) {
      ((plan.packs == k + 1 ? run(std::integral_constant<int, k + 1>()) : void()), ...);
    }
    (std::make_integer_sequence<int, kMost>());
  }
}

// One row after the other for each of n, a block of plan.rows at a time.
inline LaunchShape shape_of(const RowPlan& plan, int64_t n) {
  return {.blocks = static_cast<unsigned>((n + plan.rows - 1) / plan.rows),
          .threads = {static_cast<unsigned>(plan.warps * kWarp), static_cast<unsigned>(plan.rows)}};
}

// As many blocks as are resident at a time where a thread has up to 64 registers.
inline unsigned resident_blocks(const RowPlan& plan) {
  const int each = std::max(1, kMostThreads / (plan.warps * plan.rows * kWarp));
  return static_cast<unsigned>(multiprocessors() * each);
}

// Whether rows of so many elements of T can be read in packs.
template <class T>
bool whole_packs(int64_t cols) {
  return cols % kPackWidth<T> == 0;
}

}  // namespace bench::kernels::cuda
