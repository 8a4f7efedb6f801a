// The variants of CPU devices, defaults first. "simd": vectors by run-time dispatch, on the rank's
// threads.
#include <array>
#include <type_traits>
#include <vector>

#include "kernels/adamw/op.h"
#include "kernels/attention/op.h"
#include "kernels/convert/op.h"
#include "kernels/cross_entropy/op.h"
#include "kernels/dropout/op.h"
#include "kernels/elementwise/op.h"
#include "kernels/embedding/op.h"
#include "kernels/gelu/op.h"
#include "kernels/layer_norm/op.h"
#include "kernels/linear/op.h"
#include "kernels/registry.h"
#include "kernels/softmax/op.h"

namespace bench::kernels {
namespace {

template <class T>
void embedding_simd(Ops<T>& ops) {
  ops.embedding_forward = cpu::embedding_forward<T>;
  ops.embedding_backward = cpu::embedding_backward<T>;
}

template <class T>
void layer_norm_simd(Ops<T>& ops) {
  ops.layer_norm_forward = cpu::layer_norm_forward<T>;
  ops.layer_norm_backward = cpu::layer_norm_backward<T>;
}

// Without hardware for T.
template <class T>
std::string_view plain_arithmetic() {
  return std::is_same_v<T, bfloat16> ? "f32 after conversion" : name_of(dtype_of<T>());
}

template <class T>
void linear_onednn(Ops<T>& ops) {
  if constexpr (std::is_same_v<T, bfloat16>)
    ops.linear_arithmetic = cpu::onednn_bf16_arithmetic;
  else
    ops.linear_arithmetic = plain_arithmetic<T>;
  ops.linear_prepared_bytes = [](int64_t n, int64_t in, int64_t out) {
    return cpu::linear_prepared_bytes_onednn(n, in, out, sizeof(T));
  };
  ops.linear_forward = cpu::linear_forward_onednn<T>;
  ops.linear_input_grad = cpu::linear_input_grad_onednn<T>;
  ops.linear_weight_grad = cpu::linear_weight_grad_onednn;
}

template <class T>
void linear_packed(Ops<T>& ops) {
  ops.linear_arithmetic = plain_arithmetic<T>;
  ops.linear_prepared_bytes = cpu::linear_prepared_bytes_packed;
  ops.linear_forward = cpu::linear_forward_packed<T>;
  ops.linear_input_grad = cpu::linear_input_grad_packed<T>;
  ops.linear_weight_grad = cpu::linear_weight_grad_packed<T>;
}

template <class T>
void linear_loops(Ops<T>& ops) {
  ops.linear_arithmetic = plain_arithmetic<T>;
  ops.linear_prepared_bytes = [](int64_t, int64_t, int64_t) -> int64_t { return 0; };
  ops.linear_forward = cpu::linear_forward_loops<T>;
  ops.linear_input_grad = cpu::linear_input_grad_loops<T>;
  ops.linear_weight_grad = cpu::linear_weight_grad_loops<T>;
}

template <class T>
void gelu_simd(Ops<T>& ops) {
  ops.gelu_forward = cpu::gelu_forward<T>;
  ops.gelu_backward = cpu::gelu_backward<T>;
}

template <class T>
void dropout_simd(Ops<T>& ops) {
  ops.dropout_forward = cpu::dropout_forward<T>;
  ops.dropout_backward = cpu::dropout_backward<T>;
}

template <class T>
void softmax_simd(Ops<T>& ops) {
  ops.softmax_forward = cpu::softmax_forward<T>;
  ops.softmax_backward = cpu::softmax_backward<T>;
}

template <class T>
void attention_flash(Ops<T>& ops) {
  ops.attention_forward = cpu::attention_forward_flash<T>;
  ops.attention_backward = cpu::attention_backward_flash<T>;
  ops.attention_saved_bytes = cpu::attention_saved_bytes_flash<T>;
}

template <class T>
void attention_unfused(Ops<T>& ops) {
  ops.attention_forward = cpu::attention_forward_unfused<T>;
  ops.attention_backward = cpu::attention_backward_unfused<T>;
  ops.attention_saved_bytes = cpu::attention_saved_bytes_unfused<T>;
}

template <class T>
void cross_entropy_simd(Ops<T>& ops) {
  ops.cross_entropy_forward = cpu::cross_entropy_forward<T>;
  ops.cross_entropy_rescale = cpu::cross_entropy_rescale<T>;
  ops.cross_entropy_grad = cpu::cross_entropy_grad<T>;
}

template <class T>
void convert_simd(Ops<T>& ops) {
  ops.convert_narrow = cpu::convert_narrow<T>;
  ops.convert_widen = cpu::convert_widen<T>;
}

template <class T>
void elementwise_simd(Ops<T>& ops) {
  ops.add = cpu::add<T>;
  ops.sum_of_squares = cpu::sum_of_squares<T>;
}

template <class T>
void adamw_simd(Ops<T>& ops) {
  ops.adamw = cpu::adamw<T>;
}

constexpr DeviceKind kCpu = DeviceKind::cpu;

constexpr std::array kFloatVariants = {
    Variant<float>{"embedding", "simd", kCpu, embedding_simd<float>},
    Variant<float>{"layer_norm", "simd", kCpu, layer_norm_simd<float>},
    Variant<float>{"linear", "onednn", kCpu, linear_onednn<float>},
    Variant<float>{"linear", "packed", kCpu, linear_packed<float>},
    Variant<float>{"linear", "loops", kCpu, linear_loops<float>},
    Variant<float>{"gelu", "simd", kCpu, gelu_simd<float>},
    Variant<float>{"dropout", "simd", kCpu, dropout_simd<float>},
    Variant<float>{"softmax", "simd", kCpu, softmax_simd<float>},
    Variant<float>{"attention", "flash", kCpu, attention_flash<float>},
    Variant<float>{"attention", "unfused", kCpu, attention_unfused<float>},
    Variant<float>{"cross_entropy", "simd", kCpu, cross_entropy_simd<float>},
    Variant<float>{"convert", "simd", kCpu, convert_simd<float>},
    Variant<float>{"elementwise", "simd", kCpu, elementwise_simd<float>},
    Variant<float>{"adamw", "simd", kCpu, adamw_simd<float>},
};

constexpr std::array kDoubleVariants = {
    Variant<double>{"embedding", "simd", kCpu, embedding_simd<double>},
    Variant<double>{"layer_norm", "simd", kCpu, layer_norm_simd<double>},
    Variant<double>{"linear", "loops", kCpu, linear_loops<double>},
    Variant<double>{"gelu", "simd", kCpu, gelu_simd<double>},
    Variant<double>{"dropout", "simd", kCpu, dropout_simd<double>},
    Variant<double>{"softmax", "simd", kCpu, softmax_simd<double>},
    Variant<double>{"attention", "flash", kCpu, attention_flash<double>},
    Variant<double>{"attention", "unfused", kCpu, attention_unfused<double>},
    Variant<double>{"cross_entropy", "simd", kCpu, cross_entropy_simd<double>},
    Variant<double>{"convert", "simd", kCpu, convert_simd<double>},
    Variant<double>{"elementwise", "simd", kCpu, elementwise_simd<double>},
    Variant<double>{"adamw", "simd", kCpu, adamw_simd<double>},
};

constexpr std::array kBfloat16Variants = {
    Variant<bfloat16>{"embedding", "simd", kCpu, embedding_simd<bfloat16>},
    Variant<bfloat16>{"layer_norm", "simd", kCpu, layer_norm_simd<bfloat16>},
    Variant<bfloat16>{"linear", "packed", kCpu, linear_packed<bfloat16>},
    Variant<bfloat16>{"linear", "loops", kCpu, linear_loops<bfloat16>},
    Variant<bfloat16>{"gelu", "simd", kCpu, gelu_simd<bfloat16>},
    Variant<bfloat16>{"dropout", "simd", kCpu, dropout_simd<bfloat16>},
    Variant<bfloat16>{"softmax", "simd", kCpu, softmax_simd<bfloat16>},
    Variant<bfloat16>{"attention", "flash", kCpu, attention_flash<bfloat16>},
    Variant<bfloat16>{"attention", "unfused", kCpu, attention_unfused<bfloat16>},
    Variant<bfloat16>{"cross_entropy", "simd", kCpu, cross_entropy_simd<bfloat16>},
    Variant<bfloat16>{"convert", "simd", kCpu, convert_simd<bfloat16>},
    Variant<bfloat16>{"elementwise", "simd", kCpu, elementwise_simd<bfloat16>},
    Variant<bfloat16>{"adamw", "simd", kCpu, adamw_simd<bfloat16>},
};

}  // namespace

template <>
std::span<const Variant<float>> cpu_variants() {
  return kFloatVariants;
}

template <>
std::span<const Variant<double>> cpu_variants() {
  return kDoubleVariants;
}

// oneDNN's bf16 first where the CPU multiplies bf16, last where it only emulates it, not at all
// where it has none.
template <>
std::span<const Variant<bfloat16>> cpu_variants() {
  static const auto variants = [] {
    constexpr Variant<bfloat16> onednn{"linear", "onednn", kCpu, linear_onednn<bfloat16>};
    std::vector<Variant<bfloat16>> all(kBfloat16Variants.begin(), kBfloat16Variants.end());
    if (cpu::onednn_bf16_arithmetic().empty()) return all;
    all.insert(cpu::onednn_multiplies_bf16() ? all.begin() : all.end(), onednn);
    return all;
  }();
  return variants;
}

}  // namespace bench::kernels
