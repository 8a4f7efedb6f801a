// Through cuBLASLt by the best of its most promising algorithms.
#include "kernels/linear/lt_linear.h"
#include "kernels/registry.h"

namespace bench::kernels::cuda {

void register_linear_cublaslt(VariantList& list) {
  list.add<float, bfloat16>("linear", "cublaslt", DeviceKind::cuda,
                            []<class T>(Ops<T>& ops) { install_lt_linear<T, LtSearch{}>(ops); });
}

}  // namespace bench::kernels::cuda
