#pragma once
// Reductions over several vectors at once, and a copy that leaves the caches alone.

#include <cstdint>
#include <span>

#include "bench/base/dtype.h"
#include "parallel/comm/communicator.h"

namespace bench::shared {

// out[i] = from[0][i] op from[1][i] op …, in that order. bf16 is added in f32 and rounded once.
// `out` may be one of `from`.
void reduce_all(void* out, std::span<const void* const> from, int64_t count, DType dtype,
                ReduceOp op);

// As memcpy; past the caches where the processor can, so that `to` need not be read first.
void copy_past_caches(void* to, const void* from, size_t bytes);

}  // namespace bench::shared
