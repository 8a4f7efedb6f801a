#pragma once
// The ops of a GPT-2 step as one table of functions, chosen by device and variant from the
// registry.

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "bench/device/context.h"
#include "kernels/args.h"

namespace bench::kernels {

template <class Args>
using OpFunction = void (*)(const Context&, const Args&);

// T is float, double or bfloat16. Every pointer is set.
template <class T>
struct Ops {
  OpFunction<EmbeddingForward<T>> embedding_forward;
  OpFunction<EmbeddingBackward<T>> embedding_backward;
  OpFunction<LayerNormForward<T>> layer_norm_forward;
  OpFunction<LayerNormBackward<T>> layer_norm_backward;
  OpFunction<LinearForward<T>> linear_forward;
  OpFunction<LinearInputGrad<T>> linear_input_grad;
  OpFunction<LinearWeightGrad<T>> linear_weight_grad;
  OpFunction<GeluForward<T>> gelu_forward;
  OpFunction<GeluBackward<T>> gelu_backward;
  OpFunction<DropoutForward<T>> dropout_forward;
  OpFunction<DropoutBackward<T>> dropout_backward;
  OpFunction<SoftmaxForward<T>> softmax_forward;
  OpFunction<SoftmaxBackward<T>> softmax_backward;
  OpFunction<AttentionForward<T>> attention_forward;
  OpFunction<AttentionBackward<T>> attention_backward;
  OpFunction<CrossEntropy<T>> cross_entropy;
  OpFunction<CrossEntropyForward<T>> cross_entropy_forward;
  OpFunction<CrossEntropyRescale<T>> cross_entropy_rescale;
  OpFunction<CrossEntropyGrad<T>> cross_entropy_grad;
  OpFunction<Add<T>> add;
  OpFunction<ConvertNarrow<T>> convert_narrow;
  OpFunction<ConvertWiden<T>> convert_widen;
  OpFunction<SumOfSquares<T>> sum_of_squares;
  OpFunction<Sum<T>> sum;
  OpFunction<AdamW<T>> adamw;
  // How linear's products are computed: "f32", "f64", or for bf16 what the CPU multiplies:
  // "amx_bf16", "avx512_bf16", "avx512 emulation", "f32 after conversion".
  std::string_view (*linear_arithmetic)();
  // Whether LinearForward::gelu and LinearInputGrad::gelu_of may be given.
  bool linear_fuses_gelu;
  // Of a weight's PreparedWeights, used for products of n rows.
  int64_t (*linear_prepared_bytes)(int64_t n, int64_t in, int64_t out);
  // Of AttentionForward::saved.
  int64_t (*attention_saved_bytes)(int64_t batch, int64_t seq, int64_t heads, int64_t d);
};

// op name ("attention") -> variant name ("unfused"); ops not named take their default.
using VariantChoice = std::map<std::string, std::string>;

// From texts "op=name", as --variant takes them. Throws UsageError for anything else; whether there
// is such a variant, ops_for says.
VariantChoice parse_choice(const std::vector<std::string>& texts);

// Throws UsageError that lists what there is, for an unknown op or variant.
template <class T>
Ops<T> ops_for(DeviceKind device, const VariantChoice& choice = {});

}  // namespace bench::kernels
