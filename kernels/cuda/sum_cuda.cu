#include "kernels/cuda/sum.cuh"

namespace bench::kernels::cuda {
namespace {

constexpr int kThreads = 256;

__global__ void __launch_bounds__(kThreads)
    total_of(const double* partials, int64_t count, Total total, double* to) {
  double sum = 0;
  for (int64_t i = threadIdx.x; i < count; i += kThreads) sum += partials[i];
  sum = block_sum(sum);
  if (threadIdx.x == 0) *to = total == Total::kAdd ? *to + sum : sum;
}

}  // namespace

void add_up(const Context& context, const double* partials, int64_t count, Total total,
            double* to) {
  launch(context, "sum of partial sums", {.blocks = 1, .threads = kThreads}, total_of, partials,
         count, total, to);
}

}  // namespace bench::kernels::cuda
