#pragma once
// Linear layer: forward, input gradient, weight and bias gradient.

#include <cstdint>
#include <string_view>

#include "bench/device/context.h"
#include "kernels/args.h"
#include "kernels/gelu/op.h"
#include "kernels/rounding.h"

namespace bench::kernels {

template <class T>
void reference_linear_forward(const LinearForward<T>& a) {
  for (int64_t r = 0; r < a.n; ++r) {
    for (int64_t o = 0; o < a.out; ++o) {
      double y = a.bias != nullptr ? static_cast<double>(a.bias[o]) : 0;
      for (int64_t i = 0; i < a.in; ++i) {
        y += static_cast<double>(a.x[r * a.in + i]) * a.w[o * a.in + i];
      }
      a.y[r * a.out + o] = static_cast<T>(y);
    }
  }
  if (a.gelu == nullptr) return;
  reference_gelu_forward<T>({.n = a.n, .cols = a.out, .x = a.y, .bias = nullptr, .y = a.gelu});
}

template <class T>
void reference_linear_input_grad(const LinearInputGrad<T>& a) {
  for (int64_t r = 0; r < a.n; ++r) {
    for (int64_t i = 0; i < a.in; ++i) {
      double dx = 0;
      for (int64_t o = 0; o < a.out; ++o) {
        dx += static_cast<double>(a.dy[r * a.out + o]) * a.w[o * a.in + i];
      }
      a.dx[r * a.in + i] = static_cast<T>(dx);
    }
  }
  if (a.gelu_of == nullptr) return;
  reference_gelu_backward<T>({.n = a.n,
                              .cols = a.in,
                              .dy = a.dx,
                              .x = a.gelu_of,
                              .bias = nullptr,
                              .dx = a.dx,
                              .d_bias = nullptr});
}

template <class T>
void reference_linear_weight_grad(const LinearWeightGrad<T>& a) {
  for (int64_t o = 0; o < a.out; ++o) {
    for (int64_t i = 0; i < a.in; ++i) {
      double dw = a.accumulate ? a.dw[o * a.in + i] : 0;
      for (int64_t r = 0; r < a.n; ++r) {
        dw += static_cast<double>(a.dy[r * a.out + o]) * a.x[r * a.in + i];
      }
      a.dw[o * a.in + i] = static_cast<Wide<T>>(dw);
    }
    if (a.d_bias == nullptr) continue;
    double d_bias = a.accumulate ? a.d_bias[o] : 0;
    for (int64_t r = 0; r < a.n; ++r) d_bias += a.dy[r * a.out + o];
    a.d_bias[o] = static_cast<Wide<T>>(d_bias);
  }
}

// `terms`: the extent summed over.
template <class T>
double linear_tolerance(int64_t terms) {
  return sum_tolerance<T>(terms);
}

// Ops::linear_arithmetic where tensor cores multiply bfloat16.
inline constexpr std::string_view kBf16TensorCores = "bf16 tensor cores";

// Tensor cores add sixteen products at a time to a sum that they cut off instead of rounding it
// (Fasi 2021): these errors have one sign, and grow with the depth, not with its root.
// `arithmetic`: Ops::linear_arithmetic.
template <class T>
double weight_grad_tolerance(int64_t terms, std::string_view arithmetic) {
  const bool cut_off = arithmetic == kBf16TensorCores;
  return linear_tolerance<Wide<T>>(terms) +
         (cut_off ? kRounding<float> * static_cast<double>(terms) / 16 : 0);
}

// Of what GELU, whose slope is at most 1.13, or its slope makes of a product: the formula rounds
// the product before, a variant need not.
template <class T>
double linear_gelu_tolerance(int64_t terms) {
  return 1.13 * linear_tolerance<T>(terms) + kGeluTolerance<T>;
}

// How products are computed without hardware for T (Ops::linear_arithmetic).
template <class T>
std::string_view plain_arithmetic() {
  return std::is_same_v<T, Wide<T>> ? name_of(dtype_of<T>()) : "f32 after conversion";
}

namespace cpu {

// Through oneDNN; T is float or, where onednn_bf16_arithmetic() is not empty, bfloat16.
template <class T>
void linear_forward_onednn(const Context&, const LinearForward<T>&);
template <class T>
void linear_input_grad_onednn(const Context&, const LinearInputGrad<T>&);
void linear_weight_grad_onednn(const Context&, const LinearWeightGrad<float>&);
void linear_weight_grad_onednn(const Context&, const LinearWeightGrad<bfloat16>&);

int64_t linear_prepared_bytes_onednn(int64_t n, int64_t in, int64_t out, int64_t element_bytes);

// How oneDNN multiplies bf16 on this CPU: "amx_bf16", "avx512_bf16", "avx512 emulation"; empty
// where it does not.
std::string_view onednn_bf16_arithmetic();
bool onednn_multiplies_bf16();  // in hardware
// Whether it has layouts of its own here (AVX-512), which PreparedWeights would hold.
bool onednn_prefers_own_layouts();

// By a micro-kernel of our own; T is float or bfloat16.
template <class T>
void linear_forward_packed(const Context&, const LinearForward<T>&);
template <class T>
void linear_input_grad_packed(const Context&, const LinearInputGrad<T>&);
template <class T>
void linear_weight_grad_packed(const Context&, const LinearWeightGrad<T>&);
int64_t linear_prepared_bytes_packed(int64_t n, int64_t in, int64_t out);

// Blocked loops; T is float, double or bfloat16.
template <class T>
void linear_forward_loops(const Context&, const LinearForward<T>&);
template <class T>
void linear_input_grad_loops(const Context&, const LinearInputGrad<T>&);
template <class T>
void linear_weight_grad_loops(const Context&, const LinearWeightGrad<T>&);

}  // namespace cpu
}  // namespace bench::kernels
