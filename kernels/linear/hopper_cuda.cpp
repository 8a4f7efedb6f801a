// Weight gradients by a kernel of our own for Hopper, all else through cuBLASLt. Only by name:
// which device will run it is not known where a default is chosen.
#include "kernels/cuda/box_map.h"
#include "kernels/linear/hopper_weight_grad.h"
#include "kernels/linear/lt_linear.h"
#include "kernels/registry.h"

namespace bench::kernels::cuda {
namespace {

void linear_weight_grad_hopper(const Context& context, const LinearWeightGrad<bfloat16>& a) {
  require_hopper("linear=hopper", "linear=cublaslt");
  if (weight_grad_hopper(context, a)) return;
  Ops<bfloat16> others;
  install_lt_linear<bfloat16, LtSearch{}>(others);
  others.linear_weight_grad(context, a);
}

}  // namespace

void register_linear_hopper(VariantList& list) {
  list.add(Variant<bfloat16>{.op = "linear",
                             .name = "hopper",
                             .device = DeviceKind::cuda,
                             .install =
                                 [](Ops<bfloat16>& ops) {
                                   install_lt_linear<bfloat16, LtSearch{}>(ops);
                                   ops.linear_weight_grad = linear_weight_grad_hopper;
                                 },
                             .only_by_name = true});
}

}  // namespace bench::kernels::cuda
