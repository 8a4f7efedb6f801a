#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/attention/flash.h"
#include "kernels/attention/head.h"
#include "kernels/attention/op.h"
#include "kernels/cpu/parallel.h"
#include "kernels/registry.h"

// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/attention/flash-inl.h"
#include <hwy/foreach_target.h>
#include "kernels/attention/flash-inl.h"
// clang-format on

namespace bench::kernels::cpu {

HWY_EXPORT(flash_tables);

namespace {

template <class T>
FlashParts<T> parts_here() {
  return std::get<FlashParts<T>>(HWY_DYNAMIC_DISPATCH(flash_tables)());
}

}  // namespace

// Heads are shared out as threads become free; where they are few, parts of their queries are. A
// query's result does not depend on which.
template <class T>
void attention_forward_flash(const Context& context, const AttentionForward<T>& a) {
  const auto run = parts_here<T>().forward;
  const int64_t heads = a.batch * a.heads, wanted = 4 * context.device.threads();
  const int64_t step = std::clamp<int64_t>(ceil_div(wanted, heads), 1, ceil_div(a.seq, kQueryTile));
  parallel_tasks(context, heads * step,
                 [&](int64_t task) { run(a, task / step, step - 1 - task % step, step); });
}

template <class T>
void attention_backward_flash(const Context& context, const AttentionBackward<T>& a) {
  const auto run = parts_here<T>();
  const int64_t heads = a.batch * a.heads, groups = key_groups(a.seq);
  if (heads >= context.device.threads() || groups == 1) {
    parallel_tasks(context, heads, [&](int64_t task) { run.backward(a, task); });
    return;
  }
  thread_local Scratch memory;
  const int64_t size = query_grad_size<Wide<T>>(a.seq, a.d);
  Wide<T>* const dq = memory.elements<Wide<T>>(heads * groups * size);  // [heads, groups, size]
  parallel_tasks(context, heads * groups, [&](int64_t task) {
    run.backward_group(a, task / groups, task % groups, dq + task * size);
  });
  parallel_tasks(context, heads,
                 [&](int64_t task) { run.backward_sum(a, task, dq + task * groups * size); });
}

template <class T>
int64_t attention_saved_bytes_flash(int64_t batch, int64_t seq, int64_t heads, int64_t) {
  return batch * heads * seq * static_cast<int64_t>(sizeof(Wide<T>));
}

template void attention_forward_flash(const Context&, const AttentionForward<float>&);
template void attention_backward_flash(const Context&, const AttentionBackward<float>&);
template int64_t attention_saved_bytes_flash<float>(int64_t, int64_t, int64_t, int64_t);
template void attention_forward_flash(const Context&, const AttentionForward<double>&);
template void attention_backward_flash(const Context&, const AttentionBackward<double>&);
template int64_t attention_saved_bytes_flash<double>(int64_t, int64_t, int64_t, int64_t);
template void attention_forward_flash(const Context&, const AttentionForward<bfloat16>&);
template void attention_backward_flash(const Context&, const AttentionBackward<bfloat16>&);
template int64_t attention_saved_bytes_flash<bfloat16>(int64_t, int64_t, int64_t, int64_t);

void register_attention_flash(VariantList& list) {
  list.add<float, double, bfloat16>("attention", "flash", DeviceKind::cpu,
                                    []<class T>(Ops<T>& ops) {
                                      ops.attention_forward = attention_forward_flash<T>;
                                      ops.attention_backward = attention_backward_flash<T>;
                                      ops.attention_saved_bytes = attention_saved_bytes_flash<T>;
                                    });
}

}  // namespace bench::kernels::cpu
