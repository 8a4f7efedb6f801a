#pragma once
// Recording what ops give to a stream. The library of each device's kernels defines it.

#include "bench/device/graph.h"

namespace bench::kernels {

// Empty where the device has no graphs: on a CPU work is done when it is given.
GraphRecorder graph_recorder();

}  // namespace bench::kernels
