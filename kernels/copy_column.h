#pragma once
// A column of a matrix on the host: what a check reads of a large tensor of the device.

#include <cstdint>

#include "bench/device/context.h"

namespace bench::kernels {

// `rows` elements of `element_bytes` that lie `pitch_bytes` apart in memory of the device, packed
// to the host after the stream's earlier work; returns when they are there.
void copy_column(const Context& context, void* to, const void* from, int64_t rows,
                 int64_t pitch_bytes, int64_t element_bytes);

}  // namespace bench::kernels
