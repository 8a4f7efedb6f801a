#include <algorithm>
#include <vector>

#include "kernels/cpu/parallel.h"
#include "kernels/linear/column_sums.h"
#include "kernels/linear/gemm.h"
#include "kernels/linear/op.h"
#include "kernels/registry.h"

namespace bench::kernels::cpu {
namespace {

constexpr int64_t kBlockK = 64, kBlockN = 64;

// op(b)'s block at (k0, n0), its rows side by side whatever the layout of b.
template <class T>
void pack_block(const Gemm<T>& g, int64_t k0, int64_t n0, int64_t ks, int64_t ns, T* block) {
  for (int64_t p = 0; p < ks; ++p) {
    for (int64_t j = 0; j < ns; ++j) {
      block[p * kBlockN + j] =
          g.transpose_b ? g.b[(n0 + j) * g.ldb + k0 + p] : g.b[(k0 + p) * g.ldb + n0 + j];
    }
  }
}

// c += alpha · op(a)'s columns from k0 · block.
template <class T>
void add_block(const Gemm<T>& g, int64_t k0, int64_t n0, int64_t ks, int64_t ns, const T* block) {
  for (int64_t i = 0; i < g.m; ++i) {
    T* const c = g.c + i * g.ldc + n0;
    for (int64_t p = 0; p < ks; ++p) {
      const T a = g.alpha * (g.transpose_a ? g.a[(k0 + p) * g.lda + i] : g.a[i * g.lda + k0 + p]);
      for (int64_t j = 0; j < ns; ++j) c[j] += a * block[p * kBlockN + j];
    }
  }
}

// Threads share the rows of c.
template <class T>
void gemm_rows(const Context& context, const Gemm<T>& g) {
  parallel_parts(context, g.m, 1, [&](const Part& part) {
    Gemm<T> rows = g;
    rows.m = part.end - part.begin;
    rows.a += part.begin * (g.transpose_a ? 1 : g.lda);
    rows.c += part.begin * g.ldc;
    gemm_loops(rows);
  });
}

}  // namespace

template <class T>
void gemm_loops(const Gemm<T>& g) {
  for (int64_t i = 0; i < g.m; ++i) {
    for (int64_t j = 0; j < g.n; ++j) {
      T& c = g.c[i * g.ldc + j];
      c = g.beta == T(0) ? T(0) : g.beta * c;
    }
  }
  T block[kBlockK * kBlockN];
  for (int64_t k0 = 0; k0 < g.k; k0 += kBlockK) {
    for (int64_t n0 = 0; n0 < g.n; n0 += kBlockN) {
      const int64_t ks = std::min(kBlockK, g.k - k0), ns = std::min(kBlockN, g.n - n0);
      pack_block(g, k0, n0, ks, ns, block);
      add_block(g, k0, n0, ks, ns, block);
    }
  }
}

void gemm(const Gemm<double>& g) { gemm_loops(g); }

template <class T>
void linear_forward_loops(const Context& context, const LinearForward<T>& a) {
  if (a.bias != nullptr) {
    for (int64_t r = 0; r < a.n; ++r) std::copy_n(a.bias, a.out, a.y + r * a.out);
  }
  gemm_rows<T>(context, {.transpose_b = true,
                         .m = a.n,
                         .n = a.out,
                         .k = a.in,
                         .a = a.x,
                         .lda = a.in,
                         .b = a.w,
                         .ldb = a.in,
                         .beta = a.bias != nullptr ? T(1) : T(0),
                         .c = a.y,
                         .ldc = a.out});
}

template <class T>
void linear_input_grad_loops(const Context& context, const LinearInputGrad<T>& a) {
  gemm_rows<T>(context, {.m = a.n,
                         .n = a.in,
                         .k = a.out,
                         .a = a.dy,
                         .lda = a.out,
                         .b = a.w,
                         .ldb = a.in,
                         .c = a.dx,
                         .ldc = a.in});
}

template <class T>
void linear_weight_grad_loops(const Context& context, const LinearWeightGrad<T>& a) {
  gemm_rows<T>(context, {.transpose_a = true,
                         .m = a.out,
                         .n = a.in,
                         .k = a.n,
                         .a = a.dy,
                         .lda = a.out,
                         .b = a.x,
                         .ldb = a.in,
                         .beta = a.accumulate ? T(1) : T(0),
                         .c = a.dw,
                         .ldc = a.in});
  if (a.d_bias != nullptr) column_sums(context, a);
}

// bfloat16 is computed in float: a plain way to check others by.
namespace {

std::vector<float> widened(const bfloat16* values, int64_t size) {
  return values == nullptr ? std::vector<float>() : std::vector<float>(values, values + size);
}

void round_to(bfloat16* to, const std::vector<float>& values) {
  std::transform(values.begin(), values.end(), to, [](float v) { return bfloat16(v); });
}

}  // namespace

template <>
void linear_forward_loops(const Context& context, const LinearForward<bfloat16>& a) {
  const auto x = widened(a.x, a.n * a.in), w = widened(a.w, a.out * a.in);
  const auto bias = widened(a.bias, a.out);
  std::vector<float> y(a.n * a.out);
  linear_forward_loops<float>(context, {.n = a.n,
                                        .in = a.in,
                                        .out = a.out,
                                        .x = x.data(),
                                        .w = w.data(),
                                        .bias = a.bias == nullptr ? nullptr : bias.data(),
                                        .y = y.data()});
  round_to(a.y, y);
}

template <>
void linear_input_grad_loops(const Context& context, const LinearInputGrad<bfloat16>& a) {
  const auto dy = widened(a.dy, a.n * a.out), w = widened(a.w, a.out * a.in);
  std::vector<float> dx(a.n * a.in);
  linear_input_grad_loops<float>(
      context,
      {.n = a.n, .in = a.in, .out = a.out, .dy = dy.data(), .w = w.data(), .dx = dx.data()});
  round_to(a.dx, dx);
}

template <>
void linear_weight_grad_loops(const Context& context, const LinearWeightGrad<bfloat16>& a) {
  const auto dy = widened(a.dy, a.n * a.out), x = widened(a.x, a.n * a.in);
  linear_weight_grad_loops<float>(context, {.n = a.n,
                                            .in = a.in,
                                            .out = a.out,
                                            .accumulate = a.accumulate,
                                            .dy = dy.data(),
                                            .x = x.data(),
                                            .dw = a.dw,
                                            .d_bias = a.d_bias});
}

template void gemm_loops(const Gemm<float>&);
template void gemm_loops(const Gemm<double>&);
template void linear_forward_loops(const Context&, const LinearForward<float>&);
template void linear_forward_loops(const Context&, const LinearForward<double>&);
template void linear_input_grad_loops(const Context&, const LinearInputGrad<float>&);
template void linear_input_grad_loops(const Context&, const LinearInputGrad<double>&);
template void linear_weight_grad_loops(const Context&, const LinearWeightGrad<float>&);
template void linear_weight_grad_loops(const Context&, const LinearWeightGrad<double>&);

void register_linear_loops(VariantList& list) {
  list.add<float, double, bfloat16>("linear", "loops", DeviceKind::cpu, []<class T>(Ops<T>& ops) {
    ops.linear_arithmetic = plain_arithmetic<T>;
    ops.linear_fuses_gelu = false;
    ops.linear_prepared_bytes = [](int64_t, int64_t, int64_t) -> int64_t { return 0; };
    ops.linear_forward = linear_forward_loops<T>;
    ops.linear_input_grad = linear_input_grad_loops<T>;
    ops.linear_weight_grad = linear_weight_grad_loops<T>;
  });
}

}  // namespace bench::kernels::cpu
