#include "kernels/cross_entropy/own_parallel.cuh"
#include "kernels/cross_entropy/own_whole.cuh"
#include "kernels/registry.h"

namespace bench::kernels::cuda {

void register_cross_entropy_own(VariantList& list) {
  list.add<float, bfloat16>("cross_entropy", "own", DeviceKind::cuda, []<class T>(Ops<T>& ops) {
    ops.cross_entropy = cross_entropy<T>;
    ops.cross_entropy_forward = cross_entropy_forward<T>;
    ops.cross_entropy_rescale = cross_entropy_rescale<T>;
    ops.cross_entropy_grad = cross_entropy_grad<T>;
  });
}

}  // namespace bench::kernels::cuda
