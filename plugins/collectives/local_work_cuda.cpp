// On GPUs by the kernels of the training step.
#include "bench/base/status.h"
#include "kernels/ops.h"
#include "plugins/collectives/local_work.h"

namespace bench::collectives {
namespace {

template <class T>
void add(const Context& context, const kernels::Ops<T>& ops, void* into, const void* from,
         int64_t count) {
  ops.add(context, {.size = count, .x = static_cast<const T*>(from), .y = static_cast<T*>(into)});
}

}  // namespace

std::shared_ptr<algorithms::LocalWork> local_work(const Context& context) {
  const auto f32 = kernels::ops_for<float>(context.device.info().kind);
  const auto bf16 = kernels::ops_for<bfloat16>(context.device.info().kind);
  return std::make_shared<algorithms::DeviceWork>(
      context.device, [&context, f32, bf16](Stream s, void* into, const void* from, int64_t count,
                                            DType dtype, ReduceOp op) {
        if (op != ReduceOp::sum || (dtype != DType::f32 && dtype != DType::bf16))
          throw Unsupported("our own all-reduce algorithms on GPUs make sums of f32 and bf16");
        const Context on{context.device, context.tracer, s, context.deterministic};
        dtype == DType::f32 ? add(on, f32, into, from, count) : add(on, bf16, into, from, count);
      });
}

}  // namespace bench::collectives
