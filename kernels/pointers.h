#pragma once
// What an op's arguments point to: for_each_pointer(args, f) calls f(pointer, count) for every
// tensor of `args` that is given, `pointer` being the member itself, which f may replace, and
// `count` how many elements the op reads or writes from there on. A pointer to const is only read.
//
// So whoever holds tensors in another place than the op's can bring them there and back.

#include <cstdint>

#include "kernels/args.h"

namespace bench::kernels {

// The count of memory whose form only the variant knows (AttentionForward::saved), of type void.
inline constexpr int64_t kOpaque = -1;

namespace detail {

template <class F, class T>
void visit(const F& f, T*& pointer, int64_t count) {
  if (pointer != nullptr) f(pointer, count);
}

}  // namespace detail

template <class T, class F>
void for_each_pointer(EmbeddingForward<T>& a, const F& f) {
  detail::visit(f, a.ids, a.n);
  detail::visit(f, a.token, a.rows * a.h);
  detail::visit(f, a.position, a.seq * a.h);
  detail::visit(f, a.y, a.n * a.h);
}

template <class T, class F>
void for_each_pointer(EmbeddingBackward<T>& a, const F& f) {
  detail::visit(f, a.ids, a.n);
  detail::visit(f, a.dy, a.n * a.h);
  detail::visit(f, a.d_token, a.rows * a.h);
  detail::visit(f, a.d_position, a.seq * a.h);
}

template <class T, class F>
void for_each_pointer(LayerNormForward<T>& a, const F& f) {
  detail::visit(f, a.x, a.n * a.h);
  detail::visit(f, a.residual, a.n * a.h);
  detail::visit(f, a.sum, a.n * a.h);
  detail::visit(f, a.gamma, a.h);
  detail::visit(f, a.beta, a.h);
  detail::visit(f, a.y, a.n * a.h);
  detail::visit(f, a.mean, a.n);
  detail::visit(f, a.rstd, a.n);
}

template <class T, class F>
void for_each_pointer(LayerNormBackward<T>& a, const F& f) {
  detail::visit(f, a.dy, a.n * a.h);
  detail::visit(f, a.x, a.n * a.h);
  detail::visit(f, a.gamma, a.h);
  detail::visit(f, a.mean, a.n);
  detail::visit(f, a.rstd, a.n);
  detail::visit(f, a.d_residual, a.n * a.h);
  detail::visit(f, a.dx, a.n * a.h);
  detail::visit(f, a.d_gamma, a.h);
  detail::visit(f, a.d_beta, a.h);
}

template <class T, class F>
void for_each_pointer(LinearForward<T>& a, const F& f) {
  detail::visit(f, a.x, a.n * a.in);
  detail::visit(f, a.w, a.out * a.in);
  detail::visit(f, a.bias, a.out);
  detail::visit(f, a.y, a.n * a.out);
  detail::visit(f, a.gelu, a.n * a.out);
}

template <class T, class F>
void for_each_pointer(LinearInputGrad<T>& a, const F& f) {
  detail::visit(f, a.dy, a.n * a.out);
  detail::visit(f, a.w, a.out * a.in);
  detail::visit(f, a.dx, a.n * a.in);
  detail::visit(f, a.gelu_of, a.n * a.in);
}

template <class T, class F>
void for_each_pointer(LinearWeightGrad<T>& a, const F& f) {
  detail::visit(f, a.dy, a.n * a.out);
  detail::visit(f, a.x, a.n * a.in);
  detail::visit(f, a.dw, a.out * a.in);
  detail::visit(f, a.d_bias, a.out);
}

template <class T, class F>
void for_each_pointer(GeluForward<T>& a, const F& f) {
  detail::visit(f, a.x, a.n * a.cols);
  detail::visit(f, a.bias, a.cols);
  detail::visit(f, a.y, a.n * a.cols);
}

template <class T, class F>
void for_each_pointer(GeluBackward<T>& a, const F& f) {
  detail::visit(f, a.dy, a.n * a.cols);
  detail::visit(f, a.x, a.n * a.cols);
  detail::visit(f, a.bias, a.cols);
  detail::visit(f, a.dx, a.n * a.cols);
  detail::visit(f, a.d_bias, a.cols);
}

template <class T, class F>
void for_each_pointer(DropoutForward<T>& a, const F& f) {
  detail::visit(f, a.x, a.n * a.h);
  detail::visit(f, a.bias, a.h);
  detail::visit(f, a.residual, a.n * a.h);
  detail::visit(f, a.y, a.n * a.h);
}

template <class T, class F>
void for_each_pointer(DropoutBackward<T>& a, const F& f) {
  detail::visit(f, a.dy, a.n * a.h);
  detail::visit(f, a.dx, a.n * a.h);
  detail::visit(f, a.d_bias, a.h);
}

template <class T, class F>
void for_each_pointer(SoftmaxForward<T>& a, const F& f) {
  detail::visit(f, a.x, a.rows * a.seq);
  detail::visit(f, a.y, a.rows * a.seq);
}

template <class T, class F>
void for_each_pointer(SoftmaxBackward<T>& a, const F& f) {
  detail::visit(f, a.dy, a.rows * a.seq);
  detail::visit(f, a.y, a.rows * a.seq);
  detail::visit(f, a.dx, a.rows * a.seq);
}

template <class T, class F>
void for_each_pointer(AttentionForward<T>& a, const F& f) {
  const int64_t size = a.batch * a.seq * a.heads * a.d;
  detail::visit(f, a.qkv, 3 * size);
  detail::visit(f, a.out, size);
  detail::visit(f, a.saved, kOpaque);
}

template <class T, class F>
void for_each_pointer(AttentionBackward<T>& a, const F& f) {
  const int64_t size = a.batch * a.seq * a.heads * a.d;
  detail::visit(f, a.qkv, 3 * size);
  detail::visit(f, a.out, size);
  detail::visit(f, a.saved, kOpaque);
  detail::visit(f, a.d_out, size);
  detail::visit(f, a.d_qkv, 3 * size);
}

template <class T, class F>
void for_each_pointer(CrossEntropyForward<T>& a, const F& f) {
  detail::visit(f, a.logits, a.n * a.cols);
  detail::visit(f, a.targets, a.n);
  detail::visit(f, a.local_max, a.n);
  detail::visit(f, a.sum_and_target, 2 * a.n);
}

template <class T, class F>
void for_each_pointer(CrossEntropyRescale<T>& a, const F& f) {
  detail::visit(f, a.local_max, a.n);
  detail::visit(f, a.row_max, a.n);
  detail::visit(f, a.sum, a.n);
}

template <class T, class F>
void for_each_pointer(CrossEntropyGrad<T>& a, const F& f) {
  detail::visit(f, a.logits, a.n * a.cols);
  detail::visit(f, a.row_max, a.n);
  detail::visit(f, a.sum_and_target, 2 * a.n);
  detail::visit(f, a.targets, a.n);
  detail::visit(f, a.loss, a.n);
  detail::visit(f, a.d_logits, a.n * a.cols);
}

template <class T, class F>
void for_each_pointer(CrossEntropy<T>& a, const F& f) {
  detail::visit(f, a.logits, a.n * a.cols);
  detail::visit(f, a.targets, a.n);
  detail::visit(f, a.loss, a.n);
  detail::visit(f, a.d_logits, a.n * a.cols);
}

template <class T, class F>
void for_each_pointer(ConvertNarrow<T>& a, const F& f) {
  detail::visit(f, a.x, a.size);
  detail::visit(f, a.y, a.size);
}

template <class T, class F>
void for_each_pointer(ConvertWiden<T>& a, const F& f) {
  detail::visit(f, a.x, a.size);
  detail::visit(f, a.y, a.size);
}

template <class T, class F>
void for_each_pointer(Add<T>& a, const F& f) {
  detail::visit(f, a.x, a.size);
  detail::visit(f, a.y, a.size);
}

template <class T, class F>
void for_each_pointer(SumOfSquares<T>& a, const F& f) {
  detail::visit(f, a.x, a.size);
  detail::visit(f, a.result, 1);
}

template <class T, class F>
void for_each_pointer(Sum<T>& a, const F& f) {
  detail::visit(f, a.x, a.size);
  detail::visit(f, a.result, 1);
}

template <class T, class F>
void for_each_pointer(AdamW<T>& a, const F& f) {
  detail::visit(f, a.squared_norm, 1);
  detail::visit(f, a.step_at, 1);
  detail::visit(f, a.lr_at, 1);
  detail::visit(f, a.g, a.size);
  detail::visit(f, a.w, a.size);
  detail::visit(f, a.m, a.size);
  detail::visit(f, a.v, a.size);
  detail::visit(f, a.copy, a.size);
}

}  // namespace bench::kernels
