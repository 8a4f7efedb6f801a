#include <fmt/format.h>

#include "bench/base/status.h"
#include "kernels/ceiling/op.h"
#include "kernels/cpu/parallel.h"
#include "kernels/cpu/scratch.h"

// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/ceiling/simd-inl.h"
#include <hwy/foreach_target.h>
#include "kernels/ceiling/simd-inl.h"
// clang-format on

namespace bench::kernels::cpu {

HWY_EXPORT(stream_part);

void stream(const Context& context, const StreamPass& pass) {
  if (pass.non_temporal && pass.kind != StreamKind::kRead &&
      reinterpret_cast<uintptr_t>(pass.c) % 64 != 0) {
    throw UsageError(fmt::format("non-temporal stores need memory aligned to 64 bytes, not {}",
                                 static_cast<const void*>(pass.c)));
  }
  thread_local Scratch memory;
  const int parts = context.device.threads();
  double* const partial = memory.elements<double>(parts);
  std::fill_n(partial, parts, 0.0);
  const auto run = HWY_DYNAMIC_DISPATCH(stream_part);
  parallel_parts(context, pass.size, kLine<float>,
                 [&](const Part& part) { partial[part.index] = run(pass, part); });
  if (pass.kind != StreamKind::kRead) return;
  double sum = 0;
  for (int i = 0; i < parts; ++i) sum += partial[i];
  *pass.sum = sum;
}

}  // namespace bench::kernels::cpu
