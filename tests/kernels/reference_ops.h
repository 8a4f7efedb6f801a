#pragma once
// Each op's formula as an op, in memory of the host: what a device is held against, apart from all
// variants.

#include "kernels/adamw/op.h"
#include "kernels/attention/op.h"
#include "kernels/convert/op.h"
#include "kernels/cross_entropy/op.h"
#include "kernels/elementwise/op.h"
#include "kernels/embedding/op.h"
#include "kernels/gelu/op.h"
#include "kernels/layer_norm/op.h"
#include "kernels/linear/op.h"
#include "kernels/ops.h"

namespace bench::kernels::test {

template <class Args, void (*kFormula)(const Args&)>
void by_formula(const Context&, const Args& a) {
  kFormula(a);
}

// What a training step without dropout needs.
template <class T>
Ops<T> reference_ops() {
  Ops<T> ops{};
  ops.embedding_forward = by_formula<EmbeddingForward<T>, reference_embedding_forward<T>>;
  ops.embedding_backward = by_formula<EmbeddingBackward<T>, reference_embedding_backward<T>>;
  ops.layer_norm_forward = by_formula<LayerNormForward<T>, reference_layer_norm_forward<T>>;
  ops.layer_norm_backward = by_formula<LayerNormBackward<T>, reference_layer_norm_backward<T>>;
  ops.linear_forward = by_formula<LinearForward<T>, reference_linear_forward<T>>;
  ops.linear_input_grad = by_formula<LinearInputGrad<T>, reference_linear_input_grad<T>>;
  ops.linear_weight_grad = by_formula<LinearWeightGrad<T>, reference_linear_weight_grad<T>>;
  ops.gelu_forward = by_formula<GeluForward<T>, reference_gelu_forward<T>>;
  ops.gelu_backward = by_formula<GeluBackward<T>, reference_gelu_backward<T>>;
  ops.attention_forward = by_formula<AttentionForward<T>, reference_attention_forward<T>>;
  ops.attention_backward = by_formula<AttentionBackward<T>, reference_attention_backward<T>>;
  ops.cross_entropy = by_formula<CrossEntropy<T>, reference_cross_entropy<T>>;
  ops.cross_entropy_forward =
      by_formula<CrossEntropyForward<T>, reference_cross_entropy_forward<T>>;
  ops.cross_entropy_rescale =
      by_formula<CrossEntropyRescale<T>, reference_cross_entropy_rescale<T>>;
  ops.cross_entropy_grad = by_formula<CrossEntropyGrad<T>, reference_cross_entropy_grad<T>>;
  ops.convert_narrow = by_formula<ConvertNarrow<T>, reference_convert_narrow<T>>;
  ops.sum_of_squares = by_formula<SumOfSquares<T>, reference_sum_of_squares<T>>;
  ops.sum = by_formula<Sum<T>, reference_sum<T>>;
  ops.adamw = by_formula<AdamW<T>, reference_adamw<T>>;
  ops.linear_fuses_gelu = false;
  ops.linear_prepared_bytes = [](int64_t, int64_t, int64_t) { return int64_t{0}; };
  ops.attention_saved_bytes = [](int64_t, int64_t, int64_t, int64_t) { return int64_t{0}; };
  return ops;
}

}  // namespace bench::kernels::test
