#pragma once
// Sums by columns, in two steps of a fixed order: what each thread of a walk or each block has
// seen goes to scratch memory, which is then added up.

#include <cstdint>

#include "kernels/cuda/walk.cuh"

namespace bench::kernels::cuda {

// to[c] += the sum of partials[r, c] over r, where partials is [rows, cols].
struct ColumnTotals {
  const float* partials;
  int64_t rows, cols;
  float* to;                // [cols]
  float* others = nullptr;  // where given: [cols - split] from column `split` on, in place of `to`
  int64_t split = 0;
};
void add_columns(const Context& context, const ColumnTotals& totals);

// The columns of a thread's packs in a walk over rows of `cols`.
template <int N>
struct ColumnsOf {
  int64_t at[N];
  __device__ ColumnsOf(int64_t thread, int64_t cols) {
    int64_t column = thread * N % cols;
#pragma unroll
    for (int i = 0; i < N; ++i) {
      at[i] = column;
      column = column + 1 == cols ? 0 : column + 1;
    }
  }
};

// A row of numbers that belong to columns, as a thread of a walk needs it; zero where there is
// none.
template <int N>
struct ColumnValues {
  float at[N];
  template <class T>
  __device__ ColumnValues(const T* row, int64_t thread, int64_t cols) {
    const ColumnsOf<N> columns(thread, cols);
#pragma unroll
    for (int i = 0; i < N; ++i) {
      at[i] = row != nullptr ? static_cast<float>(row[columns.at[i]]) : 0.0f;
    }
  }
};

// What a thread of a walk adds up of its columns.
template <int N>
struct ColumnSums {
  float at[N] = {};

  // partials: [partial_rows, cols] of the plan, and room for the threads that have no packs.
  __device__ void keep(float* partials, int64_t thread) const {
    store(partials + thread * N, rounded<float>(at));
  }
};

// Runs an Op that keeps the sums of its columns at op.partials, and adds them to `to`, [cols],
// unless that is nullptr.
template <class Op>
void run_column_walk(const Context& context, const char* what, Op op, int64_t n, int64_t cols,
                     float* to) {
  if (n * cols == 0) return;
  const WalkPlan plan = plan_of<Op>(n * cols, cols);
  if (to != nullptr) {
    const size_t threads = size_t{blocks_of(plan)} * kWalkThreads;
    op.partials = reinterpret_cast<float*>(scratch(context, threads * Op::kWidth * sizeof(float)));
  }
  run_walk(context, what, op, plan);
  if (to == nullptr) return;
  add_columns(context, {.partials = op.partials,
                        .rows = plan.partial_rows(Op::kWidth, cols),
                        .cols = cols,
                        .to = to});
}

}  // namespace bench::kernels::cuda
