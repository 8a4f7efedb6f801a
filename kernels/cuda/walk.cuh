#pragma once
// The kernel of everything that is computed element by element, with what belongs to columns or to
// the whole array kept by its threads (walk.h).

#include <cstdint>
#include <utility>

#include "kernels/cuda/launch.cuh"
#include "kernels/cuda/pack.cuh"
#include "kernels/cuda/scratch.h"
#include "kernels/cuda/walk.h"

namespace bench::kernels::cuda {

constexpr int kWalkThreads = 256;

// An Op has
//   kWidth                 elements of a pack
//   kBlocks                blocks that a multiprocessor runs at a time
//   kInFlight              packs that a thread asks for before it uses the first
//   In load(i, count)      what is read of elements [i, i + count)
//   apply(i, count, in, kept)
//   Kept begin(thread), end(thread, kept)
// where `count` is kWidth but for the end of the array, and begin and end are called by all threads
// of a block. Inputs are read before outputs are written, pack by pack: in place is allowed.
template <class Op>
__global__ void __launch_bounds__(kWalkThreads, Op::kBlocks)
    walk(const __grid_constant__ Op op, const __grid_constant__ WalkPlan plan) {
  constexpr int N = Op::kWidth, kInFlight = Op::kInFlight;
  const int64_t thread = int64_t{blockIdx.x} * kWalkThreads + threadIdx.x;
  typename Op::Kept kept = op.begin(thread);
  int64_t pack = thread < plan.stride ? thread : plan.packs + 1;
  for (; pack + (kInFlight - 1) * plan.stride < plan.packs; pack += kInFlight * plan.stride) {
    typename Op::In in[kInFlight];
#pragma unroll
    for (int u = 0; u < kInFlight; ++u) in[u] = op.load((pack + u * plan.stride) * N, N);
#pragma unroll
    for (int u = 0; u < kInFlight; ++u) {
      op.apply((pack + u * plan.stride) * N, N, in[u], kept);
    }
  }
  for (; pack < plan.packs; pack += plan.stride) {
    op.apply(pack * N, N, op.load(pack * N, N), kept);
  }
  if (pack == plan.packs && pack * N < plan.size) {
    const int rest = static_cast<int>(plan.size - pack * N);
    op.apply(pack * N, rest, op.load(pack * N, rest), kept);
  }
  op.end(thread, kept);
}

// For an Op that keeps nothing.
struct KeepsNothing {
  struct Kept {};
  __device__ Kept begin(int64_t) const { return {}; }
  __device__ void end(int64_t, const Kept&) const {}
};

template <class Op>
WalkPlan plan_of(int64_t size, int64_t cols) {
  const int64_t threads = int64_t{multiprocessors()} * Op::kBlocks * kWalkThreads;
  return plan_walk(size, cols, Op::kWidth, threads);
}

inline unsigned blocks_of(const WalkPlan& plan) {
  return static_cast<unsigned>((plan.stride + kWalkThreads - 1) / kWalkThreads);
}

template <class Op>
void run_walk(const Context& context, const char* what, const Op& op, const WalkPlan& plan) {
  if (plan.size == 0) return;
  launch(context, what, {.blocks = blocks_of(plan), .threads = kWalkThreads}, walk<Op>, op, plan);
}

// `cols`: 1 where columns do not matter.
template <class Op>
void run_walk(const Context& context, const char* what, const Op& op, int64_t size,
              int64_t cols = 1) {
  if (size == 0) return;
  run_walk(context, what, op, plan_of<Op>(size, cols));
}

// Whether all of these begin at a multiple of 16 bytes; nullptr does.
template <class... T>
bool aligned(const T*... pointers) {
  return ((reinterpret_cast<uintptr_t>(pointers) % 16 == 0) && ...);
}

// run(width) with the most elements of T that one access may move: 16 bytes' where the memory is
// aligned, else one.
template <class T, class Run>
void with_width(bool is_aligned, const Run& run) {
  if (is_aligned) {
    run(std::integral_constant<int, kPackWidth<T>>());
  } else {
    run(std::integral_constant<int, 1>());
  }
}

}  // namespace bench::kernels::cuda
