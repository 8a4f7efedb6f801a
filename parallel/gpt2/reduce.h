#pragma once
// Collectives of a step: along an axis of the mesh, in a trace range of their own, nothing at all
// where the axis has one rank.

#include "bench/device/context.h"
#include "parallel/layout/mesh.h"

namespace bench::gpt2 {

// In place. Range "tp.all_reduce", "dp.all_reduce" or "pp.all_reduce", payload = bytes.
template <class T>
void all_reduce(const Context& context, layout::Mesh& mesh, layout::Axis axis, T* buffer,
                int64_t count, ReduceOp op);

}  // namespace bench::gpt2
