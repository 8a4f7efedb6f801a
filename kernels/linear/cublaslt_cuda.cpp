// Through cuBLASLt, with bias and GELU done before a result is stored. Where it has no such
// algorithm (rows that are no multiple of 16 bytes) the product is stored in f32 and finished by a
// kernel of our own, so that the result is rounded once all the same.
#include <array>
#include <map>
#include <mutex>
#include <string_view>
#include <type_traits>

#include "bench/device/buffer.h"
#include "kernels/cuda/check.h"
#include "kernels/cuda/stopwatch.h"
#include "kernels/linear/column_sums.h"
#include "kernels/linear/finish.h"
#include "kernels/linear/lt_product.h"
#include "kernels/linear/plain_product.h"
#include "kernels/registry.h"

namespace bench::kernels::cuda {
namespace {

void multiply(const Context& context, const LtProduct& product) {
  if (!lt_multiply(context, product)) plain_product(context, product);
}

// The product in f32, then what `finish` says of it; where y is in f32, in place.
template <class T>
void multiply_then_finish(const Context& context, LtProduct product, FinishProduct<T> finish) {
  const auto size = static_cast<size_t>(finish.rows * finish.columns);
  float* sums;
  if constexpr (std::is_same_v<T, float>) {
    sums = finish.y;
  } else {
    sums = reinterpret_cast<float*>(lt_scratch(context, size * sizeof(float)));
  }
  product.result = DType::f32;
  product.c = sums;
  product.bias = product.gelu_of = nullptr;
  product.pre_gelu = nullptr;
  multiply(context, product);
  finish.product = sums;
  finish_product(context, finish);
}

template <class T>
void linear_forward(const Context& context, const LinearForward<T>& a) {
  const bool with_gelu = a.gelu != nullptr;
  const LtProduct product{.shape = {.m = a.n, .n = a.out, .k = a.in, .transpose_b = true},
                          .operands = dtype_of<T>(),
                          .result = dtype_of<T>(),
                          .a = a.x,
                          .b = a.w,
                          .c = with_gelu ? a.gelu : a.y,
                          .bias = a.bias,
                          .pre_gelu = with_gelu ? a.y : nullptr};
  if (a.bias == nullptr && !with_gelu) return multiply(context, product);
  if (lt_multiply(context, product)) return;
  multiply_then_finish<T>(
      context, product, {.rows = a.n, .columns = a.out, .bias = a.bias, .y = a.y, .gelu = a.gelu});
}

template <class T>
void linear_input_grad(const Context& context, const LinearInputGrad<T>& a) {
  const LtProduct product{.shape = {.m = a.n, .n = a.in, .k = a.out},
                          .operands = dtype_of<T>(),
                          .result = dtype_of<T>(),
                          .a = a.dy,
                          .b = a.w,
                          .c = a.dx,
                          .gelu_of = a.gelu_of};
  if (a.gelu_of == nullptr) return multiply(context, product);
  if (lt_multiply(context, product)) return;
  multiply_then_finish<T>(context, product,
                          {.rows = a.n, .columns = a.in, .gelu_of = a.gelu_of, .y = a.dx});
}

template <class T>
LtProduct weight_grad_product(const LinearWeightGrad<T>& a) {
  return {.shape = {.m = a.out, .n = a.in, .k = a.n, .transpose_a = true},
          .operands = dtype_of<T>(),
          .result = DType::f32,
          .accumulate = a.accumulate,
          .a = a.dy,
          .b = a.x,
          .c = a.dw};
}

// Whether the bias gradient is had faster beside the product than after it: by time, once for each
// shape, so not with context.deterministic: the two add in different orders.
template <class T>
class BiasGradChoice {
 public:
  bool is_beside(const Context& context, const LinearWeightGrad<T>& a) {
    const std::array key = {a.n, a.in, a.out, int64_t{a.accumulate}};
    const std::scoped_lock lock(mutex_);
    const auto known = known_.find(key);
    if (known != known_.end()) return known->second;
    if (is_capturing(stream_of(context))) return false;
    return known_[key] = is_faster_beside(context, a);
  }

 private:
  static bool is_faster_beside(const Context& context, LinearWeightGrad<T> a) {
    Buffer<float> sums(context.device, a.out);  // so that d_bias stays as it is
    const LtProduct alone = weight_grad_product(a);
    LtProduct beside = alone;
    beside.row_sums = sums.data();
    const auto both = lt_seconds(context, beside), product = lt_seconds(context, alone);
    if (!both || !product) return false;
    a.accumulate = false;
    a.d_bias = sums.data();
    column_sums(context, a);  // grows what it needs
    const double after =
        Stopwatch().seconds(stream_of(context), 10, [&] { column_sums(context, a); });
    return *both < *product + after;
  }

  std::mutex mutex_;
  std::map<std::array<int64_t, 4>, bool> known_;
};

// False, and nothing is written, where cuBLASLt has no algorithm that does both.
template <class T>
bool multiply_with_bias_grad(const Context& context, const LinearWeightGrad<T>& a) {
  // cuBLASLt writes the sums; what is added goes through memory of its own.
  const size_t bytes = static_cast<size_t>(a.out) * sizeof(float);
  auto* const sums = a.accumulate ? reinterpret_cast<float*>(lt_scratch(context, bytes)) : a.d_bias;
  LtProduct beside = weight_grad_product(a);
  beside.row_sums = sums;
  if (!lt_multiply(context, beside)) return false;
  if (a.accumulate) add_sums(context, a.out, sums, a.d_bias);
  return true;
}

template <class T>
void linear_weight_grad(const Context& context, const LinearWeightGrad<T>& a) {
  static BiasGradChoice<T> choice;
  if (a.d_bias != nullptr && !context.deterministic && choice.is_beside(context, a) &&
      multiply_with_bias_grad(context, a)) {
    return;
  }
  multiply(context, weight_grad_product(a));
  if (a.d_bias != nullptr) column_sums(context, a);
}

}  // namespace

void register_linear_cublaslt(VariantList& list) {
  list.add<float, bfloat16>("linear", "cublaslt", DeviceKind::cuda, []<class T>(Ops<T>& ops) {
    constexpr bool kNarrow = std::is_same_v<T, bfloat16>;
    ops.linear_forward = linear_forward<T>;
    ops.linear_input_grad = linear_input_grad<T>;
    ops.linear_weight_grad = linear_weight_grad<T>;
    ops.linear_arithmetic = []() -> std::string_view {
      return kNarrow ? "bf16 tensor cores" : "f32";
    };
    // cuBLASLt's tanh is an approximation that is good enough for bfloat16 only.
    ops.linear_fuses_gelu = kNarrow;
    ops.linear_prepared_bytes = [](int64_t, int64_t, int64_t) -> int64_t { return 0; };
  });
}

}  // namespace bench::kernels::cuda
