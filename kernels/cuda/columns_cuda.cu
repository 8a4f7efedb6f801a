#include "kernels/cuda/columns.cuh"
#include "kernels/cuda/launch.cuh"

namespace bench::kernels::cuda {
namespace {

constexpr int kColumns = 16, kSlices = 64;

// A block has so many columns, a thread each 64th number of one.
__global__ void __launch_bounds__(kColumns* kSlices) sum_columns(const ColumnTotals t) {
  __shared__ float slices[kSlices][kColumns + 1];
  const int64_t column = int64_t{blockIdx.x} * kColumns + threadIdx.x;
  float sum = 0;
  if (column < t.cols) {
#pragma unroll 8
    for (int64_t r = threadIdx.y; r < t.rows; r += kSlices) sum += t.partials[r * t.cols + column];
  }
  slices[threadIdx.y][threadIdx.x] = sum;
  __syncthreads();
  if (threadIdx.y != 0 || column >= t.cols) return;
  for (int s = 1; s < kSlices; ++s) sum += slices[s][threadIdx.x];
  if (t.others != nullptr && column >= t.split) {
    t.others[column - t.split] += sum;
  } else {
    t.to[column] += sum;
  }
}

}  // namespace

void add_columns(const Context& context, const ColumnTotals& totals) {
  const auto blocks = static_cast<unsigned>((totals.cols + kColumns - 1) / kColumns);
  launch(context, "sums of columns", {.blocks = blocks, .threads = {kColumns, kSlices}},
         sum_columns, totals);
}

}  // namespace bench::kernels::cuda
