#pragma once
// Gradients of tokens and positions without atomics. Tokens are sorted with their places, which
// keeps the order of equal ones, and added up segment by segment (kernels/embedding/pieces.h): the
// same bits every time.

#include "kernels/embedding/op.h"

namespace bench::kernels::cuda {

// T is float or bfloat16. Throws UsageError for 2^31 tokens or rows, and for tokens that are no
// whole number of sequences.
template <class T>
void embedding_backward(const Context& context, const EmbeddingBackward<T>& a);

}  // namespace bench::kernels::cuda
