#pragma once
// Sums over a whole array in double and in a fixed order.

#include <cstdint>

#include "kernels/cuda/reduce.cuh"
#include "kernels/cuda/walk.cuh"

namespace bench::kernels::cuda {

enum class Total { kWrite, kAdd };

// *to becomes, or is increased by, the sum of `count` numbers.
void add_up(const Context& context, const double* partials, int64_t count, Total total, double* to);

// Over the threads of a block of one dimension.
__device__ inline double block_sum(double x) {
  __shared__ WarpValues<double> values;
  return row_sum(x, values);
}

// Adds up term(x); Term is a functor from double to double.
template <class Term, int N>
struct SumWalk {
  static constexpr int kWidth = N, kBlocks = 4, kInFlight = 4;
  const float* x;
  double* partials;  // one for each block

  using In = Pack<float, N>;
  using Kept = double;

  __device__ Kept begin(int64_t) const { return 0; }
  __device__ In load(int64_t i, int count) const { return cuda::load<N>(x + i, count); }
  __device__ void apply(int64_t, int count, const In& in, Kept& sum) const {
    double of_pack = 0;
#pragma unroll
    for (int k = 0; k < N; ++k) {
      if (k < count) of_pack += Term()(in[k]);
    }
    sum += of_pack;
  }
  __device__ void end(int64_t, const Kept& sum) const {
    const double of_block = block_sum(sum);
    if (threadIdx.x == 0) partials[blockIdx.x] = of_block;
  }
};

template <class Term>
void sum_of(const Context& context, const char* what, const float* x, int64_t size, Total total,
            double* to) {
  with_width<float>(aligned(x), [&](auto width) {
    using Op = SumWalk<Term, width>;
    const WalkPlan plan = plan_of<Op>(size, 1);
    const int64_t blocks = size == 0 ? 0 : int64_t{blocks_of(plan)};
    auto* const partials = reinterpret_cast<double*>(
        scratch(context, static_cast<size_t>(blocks_of(plan)) * sizeof(double)));
    run_walk(context, what, Op{x, partials}, plan);
    add_up(context, partials, blocks, total, to);
  });
}

struct Itself {
  __device__ double operator()(double x) const { return x; }
};

struct Square {
  __device__ double operator()(double x) const { return x * x; }
};

}  // namespace bench::kernels::cuda
