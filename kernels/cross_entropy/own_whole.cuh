#pragma once
// Cross entropy of rows that are all here: a block keeps a row in shared memory from the sum of its
// exponentials to its gradient. As it writes the gradient, it asks for the row that it takes next,
// pack by pack into the places that become free. A thread has the same packs in every row, so that
// nobody waits for another but in the two reductions.

#include <algorithm>

#include "kernels/cross_entropy/own_math.cuh"
#include "kernels/cross_entropy/own_parallel.cuh"
#include "kernels/cross_entropy/whole.h"
#include "kernels/cuda/launch.cuh"
#include "kernels/cuda/reduce.cuh"
#include "kernels/cuda/scratch.h"
#include "kernels/cuda/tensor_core.cuh"

namespace bench::kernels::cuda {
namespace {

// A row in shared memory as one thread of its block sees it: packs threadIdx.x,
// threadIdx.x + kBlock, ... of those that hold the `valid` first columns.
template <class T, int kBlock>
struct KeptRow {
  static constexpr int N = kPackWidth<T>;
  T* kept;
  int valid, packs;

  __device__ KeptRow(T* memory, int valid_)
      : kept(memory), valid(valid_), packs((valid_ + N - 1) / N) {}

  // Of the thread's packs first, first + kBlock, ... that are there, kInFlight of them.
  template <class F>
  __device__ void each_of(int first, const F& f) const {
#pragma unroll
    for (int u = 0; u < kInFlight; ++u) {
      const int pack = first + u * kBlock;
      if (pack < packs) f(u, pack);
    }
  }

  __device__ void ask_for(const T* row, int first) const {
    const auto to = static_cast<uint32_t>(__cvta_generic_to_shared(kept));
    each_of(first, [&](int, int pack) { copy_async_16(to + pack * 16, row + pack * N, true); });
  }
  __device__ void ask_for_all(const T* row) const {
    for (int first = threadIdx.x; first < packs; first += kInFlight * kBlock) ask_for(row, first);
  }

  // Of the thread's packs, which have arrived.
  __device__ OnlineSum sum() const {
    OnlineSum total;
    for (int first = threadIdx.x; first < packs; first += kInFlight * kBlock) {
      Chunk<T> chunk;
#pragma unroll
      for (int u = 0; u < kInFlight; ++u) {
        const int pack = first + u * kBlock;
        chunk.packs[u] = valid_part(pack);
      }
      chunk.add_to(total);
    }
    return total;
  }

  // Writes the gradient of the thread's packs and asks for theirs of `next` unless it is nullptr.
  // A place is free once its gradient, which needs what was there, has been stored.
  __device__ void replace(const RowGrad& made, T* grad, const T* next) const {
    for (int first = threadIdx.x; first < packs; first += kInFlight * kBlock) {
      Pack<T, N> in[kInFlight];
      each_of(first, [&](int u, int pack) { in[u] = load<N>(kept + pack * N); });
      each_of(first, [&](int u, int pack) {
        const int column = pack * N;
        const Pack<T, N> out = made.of(in[u], column);
        if (column + N <= valid) {
          store_streaming(grad + column, out);
        } else {
          store(grad + column, out, valid - column);
        }
      });
      if (next != nullptr) ask_for(next, first);
    }
  }

 private:
  // -infinity where there is no valid element.
  __device__ Pack<T, N> valid_part(int pack) const {
    const int count = valid - pack * N;
    if (count >= N) return load<N>(kept + pack * N);
    float x[N];
#pragma unroll
    for (int i = 0; i < N; ++i) {
      x[i] = i < count ? static_cast<float>(kept[pack * N + i]) : -INFINITY;
    }
    return rounded<T>(x);
  }
};

template <class T>
constexpr int64_t kept_columns(const CrossEntropy<T>& a) {
  const int64_t most = a.true_vocab < a.cols ? a.true_vocab : a.cols;
  return most < 0 ? 0 : most;
}

template <class T, int kBlock>
__global__ void __launch_bounds__(kBlock, 1024 / kBlock)
    loss_and_grad_of_kept_rows(const __grid_constant__ CrossEntropy<T> a) {
  __shared__ WarpValues<float> maxima, sums;
  const int64_t valid = kept_columns(a);
  const KeptRow<T, kBlock> row(reinterpret_cast<T*>(launched_memory()), static_cast<int>(valid));
  row.ask_for_all(a.logits + blockIdx.x * a.cols);
  for (int64_t r = blockIdx.x; r < a.n; r += gridDim.x) {
    const int64_t wanted = a.targets[r];
    const int64_t target = wanted >= 0 && wanted < valid ? wanted : -1;
    wait_for_copies();
    const OnlineSum total = row.sum();
    const float most = row_max(total.most, maxima);
    // Everybody's packs are there, and nobody has replaced any before the sum is known.
    const float at_target = target >= 0 ? static_cast<float>(row.kept[target]) : 0.0f;
    const float sum = row_sum(total.relative_to(most), sums);
    if (threadIdx.x == 0) a.loss[r] = logf(sum) + (most - at_target);
    const int64_t next = r + gridDim.x;
    T* const grad = a.d_logits + r * a.cols;
    row.replace(RowGrad(most, sum, a.scale, target), grad,
                next < a.n ? a.logits + next * a.cols : nullptr);
    for (int64_t c = valid + threadIdx.x; c < a.cols; c += kBlock) store(grad + c, Pack<T, 1>{});
  }
}

inline SharedMemory shared_memory() {
  static const SharedMemory memory = [] {
    int device = 0;
    check(cudaGetDevice(&device), "asking for the device");
    const auto attribute = [device](cudaDeviceAttr which) {
      int value = 0;
      check(cudaDeviceGetAttribute(&value, which, device), "asking for the shared memory");
      return int64_t{value};
    };
    return SharedMemory{.of_block = attribute(cudaDevAttrMaxSharedMemoryPerBlockOptin),
                        .of_multiprocessor = attribute(cudaDevAttrMaxSharedMemoryPerMultiprocessor),
                        .reserved = attribute(cudaDevAttrReservedSharedMemoryPerBlock)};
  }();
  return memory;
}

template <class T, int kBlock>
void keep_rows(const Context& context, const CrossEntropy<T>& a, const KeptRowPlan& plan) {
  const int64_t blocks = std::min<int64_t>(a.n, int64_t{plan.blocks} * multiprocessors());
  launch(context, "cross entropy",
         {.blocks = static_cast<unsigned>(blocks),
          .threads = kBlock,
          .shared_bytes = static_cast<size_t>(plan.bytes)},
         loss_and_grad_of_kept_rows<T, kBlock>, a);
}

// Whether every row of both arrays begins at a multiple of 16 bytes.
template <class T>
bool has_aligned_rows(const CrossEntropy<T>& a) {
  const auto addresses =
      reinterpret_cast<uintptr_t>(a.logits) | reinterpret_cast<uintptr_t>(a.d_logits);
  return (addresses | static_cast<uintptr_t>(a.cols) * sizeof(T)) % 16 == 0;
}

template <class T>
void cross_entropy_in_two_passes(const Context& context, const CrossEntropy<T>& a) {
  const auto n = static_cast<size_t>(a.n);
  auto* const row_max = reinterpret_cast<float*>(scratch(context, 3 * n * sizeof(float)));
  cross_entropy_forward(context, forward_of(a, 0, a.n, row_max, row_max + n));
  cross_entropy_grad(context, grad_of<T>(a, 0, a.n, row_max, row_max + n));
}

template <class T>
void cross_entropy(const Context& context, const CrossEntropy<T>& a) {
  if (a.n == 0) return;
  constexpr int64_t kDeclared = 2 * sizeof(WarpValues<float>);
  const KeptRowPlan plan = plan_kept_row(kept_columns(a), sizeof(T), kDeclared, shared_memory());
  if (a.d_logits == nullptr || !plan.fits || !has_aligned_rows(a)) {
    cross_entropy_in_two_passes(context, a);
  } else if (plan.blocks == 2) {
    keep_rows<T, 512>(context, a, plan);
  } else {
    keep_rows<T, 1024>(context, a, plan);
  }
}

}  // namespace
}  // namespace bench::kernels::cuda
