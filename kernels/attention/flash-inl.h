// Vector code of flash attention, read once for each instruction set.
#include "kernels/attention/flash_backward-inl.h"

HWY_BEFORE_NAMESPACE();
namespace bench::kernels::cpu::HWY_NAMESPACE {

template <class T>
FlashParts<T> flash_parts() {
  return {flash_forward_part<T>, flash_backward_head<T>, flash_backward_group<T>,
          flash_backward_sum<T>};
}

inline FlashTables flash_tables() {
  return {flash_parts<float>(), flash_parts<double>(), flash_parts<bfloat16>()};
}

}  // namespace bench::kernels::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
