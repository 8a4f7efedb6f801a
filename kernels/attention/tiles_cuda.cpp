#include "kernels/attention/op.h"
#include "kernels/registry.h"

namespace bench::kernels::cuda {
namespace {

template <class T>
void install(Ops<T>& ops) {
  ops.attention_forward = attention_forward_tiles;
  ops.attention_backward = attention_backward_tiles;
  ops.attention_saved_bytes = attention_saved_bytes_tiles;
}

template <class T>
bool supports(const OpShape& shape) {
  return shape.d <= kMostTilesHead<T>;
}

template <class T>
Variant<T> variant() {
  return {.op = "attention",
          .name = "tiles",
          .device = DeviceKind::cuda,
          .install = install<T>,
          .supports = supports<T>};
}

}  // namespace

int64_t attention_saved_bytes_tiles(int64_t batch, int64_t seq, int64_t heads, int64_t) {
  return batch * heads * seq * static_cast<int64_t>(sizeof(float));
}

void register_attention_tiles(VariantList& list) {
  list.add(variant<float>());
  list.add(variant<bfloat16>());
}

}  // namespace bench::kernels::cuda
