// Vector code of flash attention, read once for each instruction set.
#include "kernels/attention/flash_backward-inl.h"

HWY_BEFORE_NAMESPACE();
namespace bench::kernels::cpu::HWY_NAMESPACE {

inline FlashTables flash_tables() {
  return {{flash_forward_part<float>, flash_backward_head<float>},
          {flash_forward_part<double>, flash_backward_head<double>},
          {flash_forward_part<bfloat16>, flash_backward_head<bfloat16>}};
}

}  // namespace bench::kernels::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
