#include "kernels/layer_norm/own_backward.cuh"
#include "kernels/layer_norm/own_forward.cuh"
#include "kernels/registry.h"

namespace bench::kernels::cuda {

void register_layer_norm_own(VariantList& list) {
  list.add<float, bfloat16>("layer_norm", "own", DeviceKind::cuda, []<class T>(Ops<T>& ops) {
    ops.layer_norm_forward = layer_norm_forward<T>;
    ops.layer_norm_backward = layer_norm_backward<T>;
  });
}

}  // namespace bench::kernels::cuda
