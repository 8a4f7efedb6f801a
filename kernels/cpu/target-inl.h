// Read once for each instruction set.
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace bench::kernels::cpu::HWY_NAMESPACE {

inline int64_t compiled_target() { return HWY_TARGET; }

}  // namespace bench::kernels::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
