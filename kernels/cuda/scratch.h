#pragma once
// Temporary device memory of ops: partial sums, library workspaces.

#include <cstddef>
#include <cstdint>

#include "bench/device/context.h"

namespace bench::kernels::cuda {

// Memory of the current device that belongs to the call now running, until the next op on the same
// stream: ops of a stream run one after the other, so they share one buffer. It grows when a call
// needs more, which waits for the stream and is refused while a graph is recorded: the first,
// untimed call of a shape grows it. 256-byte aligned, content undefined. Throws EnvironmentError
// when there is no memory left.
std::byte* scratch(const Context& context, size_t bytes);

// How often a call so far took the place of memory given out before: what was recorded in between
// holds addresses that are gone.
uint64_t scratch_moves();

// Multiprocessors of the current device.
int multiprocessors();

}  // namespace bench::kernels::cuda
