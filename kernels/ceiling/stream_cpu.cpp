#include <fmt/format.h>

#include <algorithm>

#include "bench/base/status.h"
#include "kernels/ceiling/op.h"
#include "kernels/cpu/parallel.h"
#include "kernels/cpu/scratch.h"
#include "kernels/dropout/op.h"

// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/ceiling/simd-inl.h"
#include <hwy/foreach_target.h>
#include "kernels/ceiling/simd-inl.h"
// clang-format on

namespace bench::kernels::cpu {

HWY_EXPORT(stream_part);
HWY_EXPORT(pattern_part);
HWY_EXPORT(exp_block);

}  // namespace bench::kernels::cpu

namespace bench::kernels {
namespace {
using cpu::parallel_parts;
using cpu::Part;

void require_alignment(const float* to) {
  if (reinterpret_cast<uintptr_t>(to) % 64 == 0) return;
  throw UsageError(fmt::format("non-temporal stores need memory aligned to 64 bytes, not {}",
                               static_cast<const void*>(to)));
}

}  // namespace

void stream(const Context& context, const StreamPass& pass) {
  if (pass.non_temporal && pass.kind != StreamKind::kRead) require_alignment(pass.c);
  thread_local cpu::Scratch memory;
  const int parts = context.device.threads();
  double* const partial = memory.elements<double>(parts);
  std::fill_n(partial, parts, 0.0);
  const auto run = HWY_DYNAMIC_DISPATCH(cpu::stream_part);
  parallel_parts(context, pass.size, cpu::kLine<float>,
                 [&](const Part& part) { partial[part.index] = run(pass, part); });
  if (pass.kind != StreamKind::kRead) return;
  double sum = 0;
  for (int i = 0; i < parts; ++i) sum += partial[i];
  *pass.sum = sum;
}

void pattern_stream(const Context& context, const PatternPass& pass) {
  const auto known = [&](const StreamPattern& p) {
    return p.reads == pass.pattern.reads && p.writes == pass.pattern.writes;
  };
  if (std::none_of(std::begin(kStreamPatterns), std::end(kStreamPatterns), known)) {
    throw UsageError(fmt::format("no stream with {} reads and {} writes", pass.pattern.reads,
                                 pass.pattern.writes));
  }
  for (int k = 0; pass.non_temporal && k < pass.pattern.writes; ++k) require_alignment(pass.out[k]);
  const auto run = HWY_DYNAMIC_DISPATCH(cpu::pattern_part);
  parallel_parts(context, pass.size, cpu::kLine<float>, [&](const Part& part) { run(pass, part); });
}

int64_t arithmetic_parts(const Context& context) { return context.device.threads(); }

void exponentials(const Context& context, const ExpPass& pass) {
  const auto run = HWY_DYNAMIC_DISPATCH(cpu::exp_block);
  parallel_parts(context, pass.size, kArithmeticBlock, [&](const Part& part) {
    float* const y = pass.y + part.index * kArithmeticBlock;
    for (int64_t i = part.begin; i < part.end; i += kArithmeticBlock)
      run(pass.x, kArithmeticBlock, y);
  });
}

void random_numbers(const Context& context, const RandomPass& pass) {
  parallel_parts(context, pass.size, kArithmeticBlock, [&](const Part& part) {
    uint16_t* const bits = pass.bits + part.index * kArithmeticBlock;
    for (int64_t i = part.begin; i < part.end; i += kArithmeticBlock) {
      cpu::dropout_bits(pass.seed, static_cast<uint64_t>(i), kArithmeticBlock, bits);
    }
  });
}

}  // namespace bench::kernels
