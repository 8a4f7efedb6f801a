#pragma once
// oneDNN's primitives for dense row-major operands, made once for each shape and thread.

#include <cstdint>

#include "bench/base/dtype.h"
#include "kernels/linear/prepared.h"

namespace bench::kernels::cpu {

// c[m,n] = op(a)[m,k] · op(b)[k,n] + bias[n], all of type f32 or bf16; sums are kept in f32.
struct Matmul {
  DType dtype = DType::f32;
  bool transpose_a = false, transpose_b = false;
  int64_t m, n, k;
  const void* a;
  const void* b;
  const void* bias = nullptr;  // [n] or nullptr
  void* c;
  // Of b: in the layout that oneDNN likes best, where that is another; nullptr: as b lies.
  PreparedForm* prepared = nullptr;
};

// On as many threads as OpenMP gives (ScopedThreads). A primitive run by two threads at once gives
// silently wrong results in oneDNN 2.6 when they share its scratchpad: here each thread has
// primitives and scratchpad of its own. Throws EnvironmentError where oneDNN has no implementation.
void matmul(const Matmul& m);

// dw[out,in] = dyᵀ · x and d_bias = column sums of dy, both f32, from f32 or bf16. As matmul.
struct WeightGradProduct {
  DType dtype = DType::f32;
  int64_t n, in, out;
  const void* dy;  // [n, out]
  const void* x;   // [n, in]
  float* dw;
  float* d_bias;  // [out] or nullptr
};
void weight_grad_product(const WeightGradProduct& p);

}  // namespace bench::kernels::cpu
