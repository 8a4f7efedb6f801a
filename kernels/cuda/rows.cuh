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

// The columns of a thread's K packs, of a row of `cols`. kShifted: rows are no whole number of
// packs, so they do not begin where packs do; packs are those of memory, which begin `shift`
// elements before the row, and the first and the last may have elements of other rows.
template <int N_, int K_, bool kShifted_ = false>
struct RowColumns {
  static constexpr int N = N_, K = K_;
  static constexpr bool kShifted = kShifted_;
  int cols;
  int shift = 0;

  // Of row r of an array whose first is at a multiple of 16 bytes; rows from `rows` on have
  // nothing.
  __device__ static RowColumns of_row(int64_t r, int64_t rows, int64_t cols) {
    RowColumns columns{r < rows ? static_cast<int>(cols) : 0};
    if constexpr (kShifted) columns.shift = static_cast<int>(r * cols % N);
    return columns;
  }

  __device__ int at(int k) const {
    const int pack = (static_cast<int>(threadIdx.x) / kWarp * K + k) * kWarp + lane();
    return kShifted ? pack * N - shift : pack * N;
  }
  __device__ bool has(int k) const { return at(k) < cols; }
  __device__ bool whole(int k) const { return kShifted ? at(k) >= 0 && at(k) + N <= cols : has(k); }
  // Whether element i of pack k is one of the row.
  __device__ bool inside(int k, int i) const {
    if constexpr (!kShifted) return has(k);
    return static_cast<unsigned>(at(k) + i) < static_cast<unsigned>(cols);
  }
};

// The thread's packs of a row, from which on memory has `there` elements. What is not inside the
// row becomes zero; packs that the thread does not have stay as they are.
template <class Columns, class T>
__device__ void load_row(const Columns& columns, const T* row, int64_t there,
                         Pack<T, Columns::N> (&to)[Columns::K]) {
  constexpr int N = Columns::N, K = Columns::K;
  const T* const mine = row + columns.at(0);
#pragma unroll
  for (int k = 0; k < K; ++k) {
    if (!columns.has(k)) continue;
    if (!Columns::kShifted || columns.at(k) + N <= there) {
      to[k] = load<N>(mine + k * kWarp * N);
    } else {
      to[k] = load<N>(mine + k * kWarp * N, static_cast<int>(there) - columns.at(k));
    }
  }
  if constexpr (Columns::kShifted) {
#pragma unroll
    for (int k = 0; k < K; ++k) {
      if (columns.whole(k)) continue;
#pragma unroll
      for (int i = 0; i < N; ++i) {
        if (!columns.inside(k, i)) clear(to[k], i);
      }
    }
  }
}

template <class Columns, class T, int N>
__device__ void store_pack(const Columns& columns, T* row, int k, const Pack<T, N>& p) {
  T* const to = row + columns.at(0) + k * kWarp * N;
  if (columns.whole(k)) {
    store(to, p);
  } else if constexpr (Columns::kShifted) {
#pragma unroll
    for (int i = 0; i < N; ++i) {
      if (columns.inside(k, i)) store(to + i, element(p, i));
    }
  }
}

// A row that all rows of a block are computed with, as floats in shared memory: where rows are
// shifted, once for each row of threads. Its order is one in which the lanes of a warp meet no bank
// twice: the first four elements of all lanes' packs, then the next.
template <class Columns>
struct SharedRow {
  static constexpr int N = Columns::N, K = Columns::K, kTogether = N < 4 ? N : 4;
  float* memory;

  // The index-th of them in launched memory; each takes floats(blockDim).
  __device__ explicit SharedRow(int index)
      : memory(launched_memory() + index * floats(blockDim) +
               (Columns::kShifted ? threadIdx.y * blockDim.x * K * N : 0)) {}
  __host__ __device__ static constexpr unsigned floats(const dim3& threads) {
    return threads.x * (Columns::kShifted ? threads.y : 1) * K * N;
  }

  __device__ float* place(int k, int part) const {
    const int pack = static_cast<int>(threadIdx.x) / kWarp * K + k;
    return memory + ((pack * (N / kTogether) + part) * kWarp + lane()) * kTogether;
  }
  // Zero where the row has ended. To be read after a barrier.
  template <class T>
  __device__ void fill(const Columns& columns, const T* row) const {
    if (!Columns::kShifted && threadIdx.y != 0) return;
#pragma unroll
    for (int k = 0; k < K; ++k) {
#pragma unroll
      for (int i = 0; i < N; ++i) {
        place(k, i / kTogether)[i % kTogether] =
            columns.inside(k, i) ? static_cast<float>(row[columns.at(k) + i]) : 0.0f;
      }
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

// Of a block that stays: how far the rows of a thread are apart. Where rows are shifted, all of a
// thread's by as much; what does not fit into that has no rows.
template <class Columns>
__device__ int64_t row_stride(int64_t rows) {
  const int64_t at_a_time = int64_t{gridDim.x} * blockDim.y;
  constexpr int N = Columns::N;
  return Columns::kShifted && at_a_time < rows ? at_a_time / N * N : at_a_time;
}

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

// Blocks that stay: enough for row_stride().
inline int at_least_a_pack_of(int blocks) { return std::max(blocks, kPackWidth<bfloat16>); }

// As many blocks as are resident at a time where a thread has up to 64 registers.
inline unsigned resident_blocks(const RowPlan& plan) {
  const int each = std::max(1, kMostThreads / (plan.warps * plan.rows * kWarp));
  return static_cast<unsigned>(at_least_a_pack_of(multiprocessors() * each));
}

// run(width, whether rows are shifted) for rows in memory that is aligned or not.
template <class T, class Run>
void with_row_width(bool is_aligned, int64_t cols, const Run& run) {
  constexpr std::integral_constant<int, kPackWidth<T>> kWhole;
  if (!is_aligned) return run(std::integral_constant<int, 1>(), std::false_type());
  if (cols % kWhole == 0) return run(kWhole, std::false_type());
  run(kWhole, std::true_type());
}

// What a row may take of packs: one more where it is shifted.
inline int64_t packed_columns(int64_t cols, int width, bool shifted) {
  return shifted ? cols + width - 1 : cols;
}

// Whether rows of so many elements of T can be read in packs.
template <class T>
bool whole_packs(int64_t cols) {
  return cols % kPackWidth<T> == 0;
}

}  // namespace bench::kernels::cuda
