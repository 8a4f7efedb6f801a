#pragma once
// Element-wise reductions in memory, for communicators that reduce by themselves.

#include <cstdint>

#include "bench/base/dtype.h"
#include "parallel/comm/communicator.h"

namespace bench {

// into[i] = into[i] op from[i]. bf16 is added in f32 and rounded to nearest even.
void reduce_into(void* into, const void* from, int64_t count, DType dtype, ReduceOp op);

}  // namespace bench
