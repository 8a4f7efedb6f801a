// Through cuBLASLt by the best of all algorithms that it proposes, whatever the order of their
// sums: shows what the default choice leaves lying. Another process may choose others.
#include "kernels/linear/lt_linear.h"
#include "kernels/registry.h"

namespace bench::kernels::cuda {
namespace {

template <class T>
void add(VariantList& list) {
  list.add(Variant<T>{.op = "linear",
                      .name = "exhaustive",
                      .device = DeviceKind::cuda,
                      .install = install_lt_linear<T, kExhaustiveSearch>,
                      .only_by_name = true});
}

}  // namespace

void register_linear_exhaustive(VariantList& list) {
  add<float>(list);
  add<bfloat16>(list);
}

}  // namespace bench::kernels::cuda
