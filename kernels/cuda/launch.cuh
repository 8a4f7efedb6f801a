#pragma once
// Launching a kernel into a context's stream.

#include <cuda_runtime.h>

#include <cstddef>
#include <type_traits>

#include "bench/device/context.h"
#include "kernels/cuda/check.h"

namespace bench::kernels::cuda {

struct LaunchShape {
  dim3 blocks, threads;
  size_t shared_bytes = 0;  // launched_memory() of a block
};

// Nothing where there are no blocks: arrays may be empty. Throws EnvironmentError that names
// `what`.
template <class... Parameters>
void launch(const Context& context, const char* what, const LaunchShape& shape,
            void (*kernel)(Parameters...), const std::type_identity_t<Parameters>&... arguments) {
  if (shape.blocks.x == 0 || shape.blocks.y == 0) return;
  constexpr size_t kAlways = 32 << 10;  // what a kernel gets unasked, less what it declares itself
  if (shape.shared_bytes > kAlways) {
    allow_shared_memory(reinterpret_cast<const void*>(kernel), shape.shared_bytes, what);
  }
  kernel<<<shape.blocks, shape.threads, shape.shared_bytes, stream_of(context)>>>(arguments...);
  check_launch(what);
}

}  // namespace bench::kernels::cuda
