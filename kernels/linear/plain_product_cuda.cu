#include <algorithm>

#include "kernels/cuda/check.h"
#include "kernels/cuda/scratch.h"
#include "kernels/linear/element_cuda.cuh"
#include "kernels/linear/plain_product.h"

namespace bench::kernels::cuda {
namespace {

constexpr int kThreads = 256;

template <class T, class Out>
__global__ void multiply(RowMajorProduct s, bool accumulate, const T* a, const T* b, Out* c) {
  const int64_t a_row = s.transpose_a ? 1 : s.k, a_depth = s.transpose_a ? s.m : 1;
  const int64_t b_column = s.transpose_b ? s.k : 1, b_depth = s.transpose_b ? 1 : s.n;
  const int64_t step = int64_t{gridDim.x} * kThreads;
  for (int64_t e = int64_t{blockIdx.x} * kThreads + threadIdx.x; e < s.m * s.n; e += step) {
    const T* const of_a = a + e / s.n * a_row;
    const T* const of_b = b + e % s.n * b_column;
    float sum = accumulate ? wide(c[e]) : 0;
    for (int64_t p = 0; p < s.k; ++p) sum += wide(of_a[p * a_depth]) * wide(of_b[p * b_depth]);
    put(c + e, sum);
  }
}

template <class T, class Out>
void launch(const Context& context, const LtProduct& p) {
  if (p.shape.m * p.shape.n == 0) return;
  const int64_t wanted = (p.shape.m * p.shape.n + kThreads - 1) / kThreads;
  const auto blocks = static_cast<unsigned>(std::min<int64_t>(wanted, 16 * multiprocessors()));
  multiply<T, Out><<<blocks, kThreads, 0, stream_of(context)>>>(
      p.shape, p.accumulate, static_cast<const T*>(p.a), static_cast<const T*>(p.b),
      static_cast<Out*>(p.c));
  check_launch("product");
}

}  // namespace

void plain_product(const Context& context, const LtProduct& p) {
  if (p.operands == DType::f32) return launch<float, float>(context, p);
  if (p.result == DType::f32) return launch<__nv_bfloat16, float>(context, p);
  launch<__nv_bfloat16, __nv_bfloat16>(context, p);
}

}  // namespace bench::kernels::cuda
