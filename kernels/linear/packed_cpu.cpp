#include "kernels/linear/column_sums.h"
#include "kernels/linear/op.h"
#include "kernels/linear/packed.h"
#include "kernels/registry.h"

namespace bench::kernels::cpu {
namespace {

// From so many rows on, packing the weight anew takes less than a fiftieth of the product's time,
// and its memory is better saved.
constexpr int64_t kManyRows = 2048;

PreparedForm* kept(PreparedWeights* prepared, PreparedForm PreparedWeights::*form, int64_t rows) {
  return prepared == nullptr || rows >= kManyRows ? nullptr : &(prepared->*form);
}

}  // namespace

template <class T>
void linear_forward_packed(const Context& context, const LinearForward<T>& a) {
  multiply_packed<T, T>(context, {.m = a.n,
                                  .n = a.out,
                                  .k = a.in,
                                  .left = {.at = a.x, .line_step = a.in, .depth_step = 1},
                                  .right = {.at = a.w, .line_step = a.in, .depth_step = 1},
                                  .bias = a.bias,
                                  .c = a.y,
                                  .prepared = kept(a.prepared, &PreparedWeights::forward, a.n)});
}

template <class T>
void linear_input_grad_packed(const Context& context, const LinearInputGrad<T>& a) {
  multiply_packed<T, T>(context, {.m = a.n,
                                  .n = a.in,
                                  .k = a.out,
                                  .left = {.at = a.dy, .line_step = a.out, .depth_step = 1},
                                  .right = {.at = a.w, .line_step = 1, .depth_step = a.in},
                                  .c = a.dx,
                                  .prepared = kept(a.prepared, &PreparedWeights::input_grad, a.n)});
}

template <class T>
void linear_weight_grad_packed(const Context& context, const LinearWeightGrad<T>& a) {
  multiply_packed<T, Wide<T>>(context, {.m = a.out,
                                        .n = a.in,
                                        .k = a.n,
                                        .left = {.at = a.dy, .line_step = 1, .depth_step = a.out},
                                        .right = {.at = a.x, .line_step = 1, .depth_step = a.in},
                                        .accumulate = a.accumulate,
                                        .c = a.dw});
  if (a.d_bias != nullptr) column_sums(context, a);
}

int64_t linear_prepared_bytes_packed(int64_t n, int64_t in, int64_t out) {
  return n >= kManyRows ? 0 : packed_bytes(in, out) + packed_bytes(out, in);
}

template void linear_forward_packed(const Context&, const LinearForward<float>&);
template void linear_forward_packed(const Context&, const LinearForward<bfloat16>&);
template void linear_input_grad_packed(const Context&, const LinearInputGrad<float>&);
template void linear_input_grad_packed(const Context&, const LinearInputGrad<bfloat16>&);
template void linear_weight_grad_packed(const Context&, const LinearWeightGrad<float>&);
template void linear_weight_grad_packed(const Context&, const LinearWeightGrad<bfloat16>&);

void register_linear_packed(VariantList& list) {
  list.add<float, bfloat16>("linear", "packed", DeviceKind::cpu, []<class T>(Ops<T>& ops) {
    ops.linear_arithmetic = plain_arithmetic<T>;
    ops.linear_fuses_gelu = false;
    ops.linear_prepared_bytes = linear_prepared_bytes_packed;
    ops.linear_forward = linear_forward_packed<T>;
    ops.linear_input_grad = linear_input_grad_packed<T>;
    ops.linear_weight_grad = linear_weight_grad_packed<T>;
  });
}

}  // namespace bench::kernels::cpu
