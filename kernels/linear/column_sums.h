#pragma once
// The bias gradient, which every variant of the weight gradient needs.

#include "bench/device/context.h"
#include "kernels/args.h"

namespace bench::kernels {
namespace cpu {

// d_bias (+)= column sums of dy, as `accumulate` says. Threads share the columns: the same bits for
// any number.
template <class T>
void column_sums(const Context& context, const LinearWeightGrad<T>& a);

}  // namespace cpu
namespace cuda {

// The same on the device, T float or bfloat16. Parts of the rows are added up at a time, and then
// the parts, in an order that depends on the extents and on the kind of device alone.
template <class T>
void column_sums(const Context& context, const LinearWeightGrad<T>& a);

// sums[i] += values[i]
void add_sums(const Context& context, int64_t size, const float* values, float* sums);

}  // namespace cuda
}  // namespace bench::kernels
