// Which of oneDNN's ways serves a product is by measurement (2.6.3, GPT-2's shapes, fraction of the
// best product). AVX-512: forward and input gradient 0.95-1.0 with the weight in a layout of the
// library's own; else forward 0.87-0.94 by matmul, 0.75-0.96 by sgemm, input gradient 0.72-0.98 by
// matmul, 0.94-1.0 by sgemm; weight gradient 0.89-0.95 by an inner product in plain layouts or by
// sgemm, which adds to what is there, 0.42 in layouts of its own. AVX2: there are no other layouts,
// and all ways are within 0.93-1.0.
#include <fmt/format.h>

#include <dnnl.hpp>

#include "bench/base/status.h"
#include "kernels/cpu/parallel.h"
#include "kernels/cpu/scratch.h"
#include "kernels/linear/column_sums.h"
#include "kernels/linear/gemm.h"
#include "kernels/linear/matmul.h"
#include "kernels/linear/op.h"
#include "kernels/registry.h"

namespace bench::kernels::cpu {
namespace {

// dw += dyᵀ · x in place.
void add_weight_grad(const LinearWeightGrad<float>& a) {
  gemm(Gemm<float>{.transpose_a = true,
                   .m = a.out,
                   .n = a.in,
                   .k = a.n,
                   .a = a.dy,
                   .lda = a.out,
                   .b = a.x,
                   .ldb = a.in,
                   .beta = 1,
                   .c = a.dw,
                   .ldc = a.in});
}

// Elsewhere the library would only transpose the weight, which gains nothing and costs its memory.
template <class Args>
bool own_layout(const Args& a) {
  return a.prepared != nullptr && onednn_prefers_own_layouts();
}

WeightGradProduct product_of(const LinearWeightGrad<bfloat16>& a, float* dw) {
  return {.dtype = DType::bf16,
          .n = a.n,
          .in = a.in,
          .out = a.out,
          .dy = a.dy,
          .x = a.x,
          .dw = dw,
          .d_bias = nullptr};
}

}  // namespace

void gemm(const Gemm<float>& g) {
  const auto status = dnnl_sgemm(g.transpose_a ? 'T' : 'N', g.transpose_b ? 'T' : 'N', g.m, g.n,
                                 g.k, g.alpha, g.a, g.lda, g.b, g.ldb, g.beta, g.c, g.ldc);
  if (status != dnnl_success) {
    throw EnvironmentError(fmt::format("oneDNN's sgemm refuses [{} x {}] by [{} x {}]: status {}",
                                       g.m, g.k, g.k, g.n, static_cast<int>(status)));
  }
}

template <class T>
void linear_forward_onednn(const Context& context, const LinearForward<T>& a) {
  const ScopedThreads threads(context);
  matmul({.dtype = dtype_of<T>(),
          .transpose_b = true,
          .m = a.n,
          .n = a.out,
          .k = a.in,
          .a = a.x,
          .b = a.w,
          .bias = a.bias,
          .c = a.y,
          .prepared = own_layout(a) ? &a.prepared->forward : nullptr});
}

template <class T>
void linear_input_grad_onednn(const Context& context, const LinearInputGrad<T>& a) {
  const ScopedThreads threads(context);
  if constexpr (std::is_same_v<T, float>) {
    if (!own_layout(a)) {
      return gemm(Gemm<float>{.m = a.n,
                              .n = a.in,
                              .k = a.out,
                              .a = a.dy,
                              .lda = a.out,
                              .b = a.w,
                              .ldb = a.in,
                              .c = a.dx,
                              .ldc = a.in});
    }
  }
  matmul({.dtype = dtype_of<T>(),
          .m = a.n,
          .n = a.in,
          .k = a.out,
          .a = a.dy,
          .b = a.w,
          .c = a.dx,
          .prepared = own_layout(a) ? &a.prepared->input_grad : nullptr});
}

void linear_weight_grad_onednn(const Context& context, const LinearWeightGrad<float>& a) {
  const ScopedThreads threads(context);
  if (!a.accumulate) {
    return weight_grad_product(
        {.n = a.n, .in = a.in, .out = a.out, .dy = a.dy, .x = a.x, .dw = a.dw, .d_bias = a.d_bias});
  }
  add_weight_grad(a);
  if (a.d_bias != nullptr) column_sums(context, a);
}

// The inner product only writes: what is added goes through memory of its own.
void linear_weight_grad_onednn(const Context& context, const LinearWeightGrad<bfloat16>& a) {
  const ScopedThreads threads(context);
  if (a.accumulate) {
    thread_local Scratch memory;
    const int64_t size = a.out * a.in;
    float* const product = memory.elements<float>(size);
    weight_grad_product(product_of(a, product));
    parallel_parts(context, size, kLine<float>, [&](const Part& part) {
      for (int64_t i = part.begin; i < part.end; ++i) a.dw[i] += product[i];
    });
  } else {
    weight_grad_product(product_of(a, a.dw));
  }
  if (a.d_bias != nullptr) column_sums(context, a);
}

int64_t linear_prepared_bytes_onednn(int64_t, int64_t in, int64_t out, int64_t element_bytes) {
  return onednn_prefers_own_layouts() ? 2 * in * out * element_bytes : 0;
}

template void linear_forward_onednn(const Context&, const LinearForward<float>&);
template void linear_forward_onednn(const Context&, const LinearForward<bfloat16>&);
template void linear_input_grad_onednn(const Context&, const LinearInputGrad<float>&);
template void linear_input_grad_onednn(const Context&, const LinearInputGrad<bfloat16>&);

// bf16 by default where the CPU multiplies it, only by name where oneDNN emulates it, not at all
// where it has none.
void register_linear_onednn(VariantList& list) {
  const auto install = []<class T>(Ops<T>& ops) {
    if constexpr (std::is_same_v<T, bfloat16>)
      ops.linear_arithmetic = onednn_bf16_arithmetic;
    else
      ops.linear_arithmetic = plain_arithmetic<T>;
    ops.linear_fuses_gelu = false;
    ops.linear_prepared_bytes = [](int64_t n, int64_t in, int64_t out) {
      return linear_prepared_bytes_onednn(n, in, out, sizeof(T));
    };
    ops.linear_forward = linear_forward_onednn<T>;
    ops.linear_input_grad = linear_input_grad_onednn<T>;
    ops.linear_weight_grad = linear_weight_grad_onednn;
  };
  list.add<float>("linear", "onednn", DeviceKind::cpu, install);
  if (onednn_bf16_arithmetic().empty()) return;
  list.add(Variant<bfloat16>{.op = "linear",
                             .name = "onednn",
                             .device = DeviceKind::cpu,
                             .install = install,
                             .only_by_name = !onednn_multiplies_bf16()});
}

}  // namespace bench::kernels::cpu
