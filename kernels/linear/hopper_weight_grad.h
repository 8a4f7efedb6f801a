#pragma once
// The weight gradient by a kernel of our own (hopper_weight_grad_cuda.cuh).

#include "bench/device/context.h"
#include "kernels/args.h"

namespace bench::kernels::cuda {

// With the bias gradient, in an order that depends on the extents and on the kind of device alone.
// False, and nothing is written, where the copy engine does not take the operands: rows that are no
// multiples of 16 bytes. On devices of compute capability 9.0 only.
bool weight_grad_hopper(const Context& context, const LinearWeightGrad<bfloat16>& a);

}  // namespace bench::kernels::cuda
