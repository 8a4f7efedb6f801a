#pragma once
// A product for extents that cuBLASLt has no algorithm for.

#include "bench/device/context.h"
#include "kernels/linear/lt_product.h"

namespace bench::kernels::cuda {

// c (+)= op(a) · op(b), an element a thread, in f32 along the depth; nothing of the epilogues.
// Slow, and for any extents.
void plain_product(const Context& context, const LtProduct& product);

}  // namespace bench::kernels::cuda
