#include "kernels/cpu/target.h"

// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/target-inl.h"
#include <hwy/foreach_target.h>
#include "kernels/cpu/target-inl.h"
// clang-format on

namespace bench::kernels::cpu {

HWY_EXPORT(compiled_target);

std::string simd_target() { return hwy::TargetName(HWY_DYNAMIC_DISPATCH(compiled_target)()); }

}  // namespace bench::kernels::cpu
