#pragma once
// The ops of a linear layer through cuBLASLt, with bias and GELU done before a result is stored.
// Where it cannot do that (rows that are no multiple of 16 bytes) the product is stored in f32 and
// finished by a kernel of our own, so that the result is rounded once all the same.

#include "kernels/linear/lt_product.h"
#include "kernels/ops.h"

namespace bench::kernels::cuda {

// T is float or bfloat16; kSearch the usual one, LtSearch{}, or kExhaustiveSearch.
template <class T, LtSearch kSearch>
void install_lt_linear(Ops<T>& ops);

}  // namespace bench::kernels::cuda
