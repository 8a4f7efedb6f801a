#pragma once
// Products of the heads of one sequence by cuBLASLt, all heads in one launch.

#include <compare>
#include <cstddef>
#include <cstdint>

#include "bench/base/dtype.h"
#include "bench/device/context.h"

namespace bench::kernels::cuda {

// One row-major matrix a head, in device memory: rows `row_step` elements apart, heads `head_step`.
struct HeadMatrices {
  void* memory;
  int64_t row_step, head_step;
  bool transposed = false;  // stored as the transpose of what the product takes
};

// c = op(a) · op(b) of each head: [m, k] · [k, n], of type f32, multiplied as such and not as TF32,
// or bf16; sums are kept in f32.
struct HeadProducts {
  DType dtype;
  int64_t heads, m, n, k;
  HeadMatrices a, b, c;
};

inline constexpr size_t kHeadProductsWorkspaceBytes = size_t{32} << 20;

// `workspace`: so many bytes of device memory, 256-byte aligned. The algorithm is that which
// cuBLASLt thinks fastest, from the first call of a shape on. Throws EnvironmentError where it has
// none or fails.
void multiply_heads(const Context& context, const HeadProducts& products, void* workspace);

}  // namespace bench::kernels::cuda
