#include "kernels/attention/op.h"
#include "kernels/registry.h"

namespace bench::kernels::cuda {

// Only by name: which device will run it is not known where a default is chosen.
void register_attention_hopper(VariantList& list) {
  list.add(Variant<bfloat16>{
      .op = "attention",
      .name = "hopper",
      .device = DeviceKind::cuda,
      .install =
          [](Ops<bfloat16>& ops) {
            ops.attention_forward = attention_forward_hopper;
            ops.attention_backward = attention_backward_hopper;
            ops.attention_saved_bytes = attention_saved_bytes_tiles;
          },
      .supports = [](const OpShape& shape) { return shape.d == 64 || shape.d == 128; },
      .only_by_name = true});
}

}  // namespace bench::kernels::cuda
