#include <algorithm>

#include "kernels/cuda/check.h"
#include "kernels/cuda/scratch.h"
#include "kernels/linear/column_sums.h"
#include "kernels/linear/element_cuda.cuh"

namespace bench::kernels::cuda {
namespace {

// A block: a warp beside each other on the columns, so many of them one row below the other. All
// blocks run at once.
constexpr int kLanes = 32, kWarps = 8;
constexpr int kBlocksOfMultiprocessor = 4;

// The same where the parts are added up.
constexpr int kAddingWarps = 32;

// So many numbers a thread has on the way at a time: what hides the latency of memory.
constexpr int kInFlight = 8;

// More parts would take more than one such turn to add up; shorter ones are sooner read than begun.
constexpr int64_t kMostParts = kAddingWarps * kInFlight, kFewestRows = 32;

constexpr int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

template <class T, int kWidth>
struct alignas(kWidth * sizeof(T)) Vector {
  T values[kWidth];
};

// parts[part, column] = the sum over the part's rows. kWidth divides the columns.
template <class T, int kWidth>
__global__ void __launch_bounds__(kLanes* kWarps, kBlocksOfMultiprocessor)
    sum_parts(int64_t rows, int64_t columns, int64_t rows_of_part, const T* dy, float* parts) {
  constexpr int kColumns = kLanes * kWidth;
  const int64_t first = int64_t{blockIdx.x} * kColumns, column = first + threadIdx.x * kWidth;
  const int64_t begin = blockIdx.y * rows_of_part, end = min(begin + rows_of_part, rows);
  float sums[kWidth] = {};
  if (column < columns) {
    for (int64_t row = begin + threadIdx.y; row < end; row += kWarps * kInFlight) {
      Vector<T, kWidth> rows_in_flight[kInFlight];
#pragma unroll
      for (int k = 0; k < kInFlight; ++k) {
        const int64_t at = row + k * kWarps;
        rows_in_flight[k] =
            at < end ? *reinterpret_cast<const Vector<T, kWidth>*>(dy + at * columns + column)
                     : Vector<T, kWidth>{};
      }
#pragma unroll
      for (int k = 0; k < kInFlight; ++k) {
#pragma unroll
        for (int i = 0; i < kWidth; ++i) sums[i] += wide(rows_in_flight[k].values[i]);
      }
    }
  }
  __shared__ float of_warp[kWarps][kColumns];
#pragma unroll
  for (int i = 0; i < kWidth; ++i) of_warp[threadIdx.y][threadIdx.x * kWidth + i] = sums[i];
  __syncthreads();
  const int thread = static_cast<int>(threadIdx.y) * kLanes + static_cast<int>(threadIdx.x);
  for (int c = thread; c < kColumns && first + c < columns; c += kLanes * kWarps) {
    float sum = 0;
#pragma unroll
    for (int warp = 0; warp < kWarps; ++warp) sum += of_warp[warp][c];
    parts[blockIdx.y * columns + first + c] = sum;
  }
}

__global__ void __launch_bounds__(kLanes* kAddingWarps)
    add_parts(int64_t columns, int count, const float* parts, bool accumulate, float* d_bias) {
  const int64_t column = int64_t{blockIdx.x} * kLanes + threadIdx.x;
  float sum = 0;
  if (column < columns) {
#pragma unroll
    for (int k = 0; k < kInFlight; ++k) {
      const int part = static_cast<int>(threadIdx.y) + k * kAddingWarps;
      sum += part < count ? parts[part * columns + column] : 0;
    }
  }
  __shared__ float of_warp[kAddingWarps][kLanes];
  of_warp[threadIdx.y][threadIdx.x] = sum;
  __syncthreads();
  if (threadIdx.y != 0 || column >= columns) return;
  float total = accumulate ? d_bias[column] : 0;
#pragma unroll
  for (int warp = 0; warp < kAddingWarps; ++warp) total += of_warp[warp][threadIdx.x];
  d_bias[column] = total;
}

__global__ void add(int64_t size, const float* values, float* sums) {
  const int64_t i = int64_t{blockIdx.x} * blockDim.x + threadIdx.x;
  if (i < size) sums[i] += values[i];
}

template <int kWidth, class T>
void sum_in_parts(const Context& context, const LinearWeightGrad<T>& a) {
  const int64_t blocks = ceil_div(a.out, kLanes * kWidth);
  const int64_t wanted = int64_t{kBlocksOfMultiprocessor} * multiprocessors() / blocks;
  const int64_t most = std::min(kMostParts, ceil_div(a.n, kFewestRows));
  const int64_t rows_of_part = ceil_div(a.n, std::clamp<int64_t>(wanted, 1, most));
  const int64_t count = ceil_div(a.n, rows_of_part);
  auto* const parts = reinterpret_cast<float*>(
      scratch(context, static_cast<size_t>(count * a.out) * sizeof(float)));
  const cudaStream_t stream = stream_of(context);
  const dim3 grid(static_cast<unsigned>(blocks), static_cast<unsigned>(count));
  sum_parts<Stored<T>, kWidth><<<grid, dim3(kLanes, kWarps), 0, stream>>>(
      a.n, a.out, rows_of_part, reinterpret_cast<const Stored<T>*>(a.dy), parts);
  check_launch("bias gradient, parts");
  const auto adding_blocks = static_cast<unsigned>(ceil_div(a.out, kLanes));
  add_parts<<<adding_blocks, dim3(kLanes, kAddingWarps), 0, stream>>>(
      a.out, static_cast<int>(count), parts, a.accumulate, a.d_bias);
  check_launch("bias gradient");
}

}  // namespace

template <class T>
void column_sums(const Context& context, const LinearWeightGrad<T>& a) {
  if (a.out == 0) return;
  if (a.n == 0) {
    if (a.accumulate) return;
    return check(cudaMemsetAsync(a.d_bias, 0, static_cast<size_t>(a.out) * sizeof(float),
                                 stream_of(context)),
                 "clearing a bias gradient");
  }
  constexpr int kWidth = 16 / sizeof(T);
  const bool whole = a.out % kWidth == 0 && reinterpret_cast<uintptr_t>(a.dy) % 16 == 0;
  whole ? sum_in_parts<kWidth>(context, a) : sum_in_parts<1>(context, a);
}

void add_sums(const Context& context, int64_t size, const float* values, float* sums) {
  if (size == 0) return;
  constexpr int kThreads = 256;
  add<<<static_cast<unsigned>(ceil_div(size, kThreads)), kThreads, 0, stream_of(context)>>>(
      size, values, sums);
  check_launch("adding a bias gradient");
}

template void column_sums(const Context&, const LinearWeightGrad<float>&);
template void column_sums(const Context&, const LinearWeightGrad<bfloat16>&);

}  // namespace bench::kernels::cuda
