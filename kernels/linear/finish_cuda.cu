#include <algorithm>

#include "kernels/args.h"
#include "kernels/cuda/check.h"
#include "kernels/cuda/scratch.h"
#include "kernels/gelu/op.h"
#include "kernels/linear/element_cuda.cuh"
#include "kernels/linear/finish.h"

namespace bench::kernels::cuda {
namespace {

constexpr int kThreads = 256;
constexpr float kRoot = static_cast<float>(kGeluRoot), kCubic = static_cast<float>(kGeluCubic);

__device__ float gelu_value(float x) {
  return 0.5f * x * (1 + tanhf(kRoot * (x + kCubic * x * x * x)));
}

// Past ten it is 0 or 1 in f32, and the square of x may be none.
__device__ float gelu_slope(float x) {
  x = fabsf(x) > 10 ? copysignf(10, x) : x;
  const float t = tanhf(kRoot * (x + kCubic * x * x * x));
  return 0.5f * (1 + t) + 0.5f * x * (1 - t * t) * kRoot * (1 + 3 * kCubic * x * x);
}

// Arguments as FinishProduct has them. `product` and `y` may be the same memory.
template <class T>
__global__ void finish(int64_t size, int64_t columns, const float* product, const T* bias,
                       const T* pre_gelu, T* y, T* gelu) {
  const int64_t step = int64_t{gridDim.x} * kThreads;
  for (int64_t i = int64_t{blockIdx.x} * kThreads + threadIdx.x; i < size; i += step) {
    float value = product[i];
    if (bias != nullptr) value += wide(bias[i % columns]);
    if (pre_gelu != nullptr) value *= gelu_slope(wide(pre_gelu[i]));
    put(y + i, value);
    if (gelu != nullptr) put(gelu + i, gelu_value(value));
  }
}

}  // namespace

template <class T>
void finish_product(const Context& context, const FinishProduct<T>& a) {
  const int64_t size = a.rows * a.columns;
  if (size == 0) return;
  const int64_t blocks =
      std::min<int64_t>((size + kThreads - 1) / kThreads, int64_t{16} * multiprocessors());
  finish<Stored<T>><<<static_cast<unsigned>(blocks), kThreads, 0, stream_of(context)>>>(
      size, a.columns, a.product, reinterpret_cast<const Stored<T>*>(a.bias),
      reinterpret_cast<const Stored<T>*>(a.gelu_of), reinterpret_cast<Stored<T>*>(a.y),
      reinterpret_cast<Stored<T>*>(a.gelu));
  check_launch("finishing a product");
}

template void finish_product(const Context&, const FinishProduct<float>&);
template void finish_product(const Context&, const FinishProduct<bfloat16>&);

}  // namespace bench::kernels::cuda
