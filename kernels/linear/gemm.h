#pragma once
// Matrix products for the ops that are built of them.

#include <cstdint>

namespace bench::kernels::cpu {

// c[m,n] = alpha · op(a) · op(b) + beta · c, all row-major; op(a) is [m,k], op(b) is [k,n]. A
// leading dimension is the distance of two stored rows. With beta 0, c's content does not matter.
template <class T>
struct Gemm {
  bool transpose_a = false, transpose_b = false;
  int64_t m, n, k;
  T alpha = 1;
  const T* a;
  int64_t lda;
  const T* b;
  int64_t ldb;
  T beta = 0;
  T* c;
  int64_t ldc;
};

// oneDNN. Within an OpenMP parallel region of more than one thread it stays on the calling thread,
// elsewhere it takes as many as OpenMP gives (ScopedThreads).
void gemm(const Gemm<float>& g);

// Blocked loops on the calling thread.
void gemm(const Gemm<double>& g);
template <class T>
void gemm_loops(const Gemm<T>& g);

}  // namespace bench::kernels::cpu
