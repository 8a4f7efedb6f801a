// Which of oneDNN's two ways serves a product is by measurement (2.6.3, AVX-512, GPT-2's shapes,
// fraction of the best product of a prepared layout): forward 0.87-0.94 by matmul, 0.75-0.96 by
// sgemm; input gradient 0.72-0.98 by matmul, 0.94-1.0 by sgemm; weight gradient about 0.92 by
// either, and sgemm adds to what is there.
#include <fmt/format.h>

#include <dnnl.hpp>

#include "bench/base/status.h"
#include "kernels/cpu/parallel.h"
#include "kernels/linear/column_sums.h"
#include "kernels/linear/gemm.h"
#include "kernels/linear/matmul.h"
#include "kernels/linear/op.h"

namespace bench::kernels::cpu {

void gemm(const Gemm<float>& g) {
  const auto status = dnnl_sgemm(g.transpose_a ? 'T' : 'N', g.transpose_b ? 'T' : 'N', g.m, g.n,
                                 g.k, g.alpha, g.a, g.lda, g.b, g.ldb, g.beta, g.c, g.ldc);
  if (status != dnnl_success) {
    throw EnvironmentError(fmt::format("oneDNN's sgemm refuses [{} x {}] by [{} x {}]: status {}",
                                       g.m, g.k, g.k, g.n, static_cast<int>(status)));
  }
}

void linear_forward_onednn(const Context& context, const LinearForward<float>& a) {
  const ScopedThreads threads(context);
  matmul({.transpose_b = true,
          .m = a.n,
          .n = a.out,
          .k = a.in,
          .a = a.x,
          .b = a.w,
          .bias = a.bias,
          .c = a.y});
}

void linear_input_grad_onednn(const Context& context, const LinearInputGrad<float>& a) {
  const ScopedThreads threads(context);
  gemm(Gemm<float>{.m = a.n,
                   .n = a.in,
                   .k = a.out,
                   .a = a.dy,
                   .lda = a.out,
                   .b = a.w,
                   .ldb = a.in,
                   .c = a.dx,
                   .ldc = a.in});
}

void linear_weight_grad_onednn(const Context& context, const LinearWeightGrad<float>& a) {
  const ScopedThreads threads(context);
  gemm(Gemm<float>{.transpose_a = true,
                   .m = a.out,
                   .n = a.in,
                   .k = a.n,
                   .a = a.dy,
                   .lda = a.out,
                   .b = a.x,
                   .ldb = a.in,
                   .beta = a.accumulate ? 1.0f : 0.0f,
                   .c = a.dw,
                   .ldc = a.in});
  if (a.d_bias != nullptr) column_sums(context, a);
}

}  // namespace bench::kernels::cpu
