#pragma once
// What attention for Hopper is made for.

#include <cstdint>
#include <string>

#include "bench/base/status.h"
#include "kernels/cuda/box_map.h"

namespace bench::kernels::cuda {

// Throws UsageError unless the kernels are made for heads of this size, EnvironmentError on another
// kind of device.
inline void require_hopper_heads(int64_t d) {
  if (d != 64 && d != 128) {
    throw UsageError("attention=hopper takes heads of 64 or 128 elements, not " +
                     std::to_string(d));
  }
  require_hopper("attention=hopper", "attention=tiles");
}

}  // namespace bench::kernels::cuda
