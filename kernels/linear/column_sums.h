#pragma once
// The bias gradient, which every variant of the weight gradient needs.

#include "bench/device/context.h"
#include "kernels/args.h"

namespace bench::kernels::cpu {

// d_bias (+)= column sums of dy, as `accumulate` says. Threads share the columns: the same bits for
// any number.
template <class T>
void column_sums(const Context& context, const LinearWeightGrad<T>& a);

}  // namespace bench::kernels::cpu
