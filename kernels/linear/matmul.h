#pragma once
// oneDNN's matmul primitive for row-major operands, made once for each shape and thread.

#include <cstdint>

namespace bench::kernels::cpu {

// c[m,n] = op(a)[m,k] · op(b)[k,n] + bias[n], dense row-major storage.
struct Matmul {
  bool transpose_a = false, transpose_b = false;
  int64_t m, n, k;
  const float* a;
  const float* b;
  const float* bias = nullptr;  // [n] or nullptr
  float* c;
};

// On as many threads as OpenMP gives (ScopedThreads). A primitive run by two threads at once gives
// silently wrong results in oneDNN 2.6 when they share its scratchpad: here each thread has
// primitives and scratchpad of its own. Throws EnvironmentError where oneDNN has no implementation.
void matmul(const Matmul& m);

}  // namespace bench::kernels::cpu
