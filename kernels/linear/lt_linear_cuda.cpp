#include <array>
#include <map>
#include <mutex>
#include <string_view>
#include <type_traits>

#include "bench/device/buffer.h"
#include "kernels/cuda/check.h"
#include "kernels/cuda/scratch.h"
#include "kernels/cuda/stopwatch.h"
#include "kernels/linear/column_sums.h"
#include "kernels/linear/finish.h"
#include "kernels/linear/lt_linear.h"
#include "kernels/linear/lt_product.h"
#include "kernels/linear/op.h"
#include "kernels/linear/plain_product.h"

namespace bench::kernels::cuda {
namespace {

constexpr int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

template <LtSearch kSearch>
void multiply(const Context& context, const LtProduct& product) {
  if (!lt_multiply(context, product, kSearch)) plain_product(context, product);
}

// The product in f32, then what `finish` says of it; where y is in f32, in place.
template <LtSearch kSearch, class T>
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
  multiply<kSearch>(context, product);
  finish.product = sums;
  finish_product(context, finish);
}

template <class T, LtSearch kSearch>
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
  if (a.bias == nullptr && !with_gelu) return multiply<kSearch>(context, product);
  if (lt_multiply(context, product, kSearch)) return;
  multiply_then_finish<kSearch, T>(
      context, product, {.rows = a.n, .columns = a.out, .bias = a.bias, .y = a.y, .gelu = a.gelu});
}

template <class T, LtSearch kSearch>
void linear_input_grad(const Context& context, const LinearInputGrad<T>& a) {
  const LtProduct product{.shape = {.m = a.n, .n = a.in, .k = a.out},
                          .operands = dtype_of<T>(),
                          .result = dtype_of<T>(),
                          .a = a.dy,
                          .b = a.w,
                          .c = a.dx,
                          .gelu_of = a.gelu_of};
  if (a.gelu_of == nullptr) return multiply<kSearch>(context, product);
  if (lt_multiply(context, product, kSearch)) return;
  multiply_then_finish<kSearch, T>(context, product,
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

// Whether blocks that each make a tile of the result, over the whole depth, keep nearly all
// multiprocessors at work: the epilogue rules out that several share the depth of one.
bool tiles_fill_device(const RowMajorProduct& p) {
  constexpr int64_t kTileRows = 128, kTileColumns = 256;  // that of the fast algorithms on Hopper
  const int64_t tiles = ceil_div(p.m, kTileRows) * ceil_div(p.n, kTileColumns);
  const int64_t blocks = ceil_div(tiles, multiprocessors()) * multiprocessors();
  return 5 * tiles >= 4 * blocks;
}

// Whether the bias gradient is had faster beside the product than after it. The two add in
// different orders, so that with context.deterministic the extents decide; else time does, once for
// each shape.
template <class T, LtSearch kSearch>
class BiasGradChoice {
 public:
  bool is_beside(const Context& context, const LinearWeightGrad<T>& a) {
    if (context.deterministic && !kSearch.any_bits) {
      return tiles_fill_device(weight_grad_product(a).shape);
    }
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
    const auto both = lt_seconds(context, beside, kSearch),
               product = lt_seconds(context, alone, kSearch);
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
template <LtSearch kSearch, class T>
bool multiply_with_bias_grad(const Context& context, const LinearWeightGrad<T>& a) {
  // cuBLASLt writes the sums; what is added goes through memory of its own.
  const size_t bytes = static_cast<size_t>(a.out) * sizeof(float);
  auto* const sums = a.accumulate ? reinterpret_cast<float*>(lt_scratch(context, bytes)) : a.d_bias;
  LtProduct beside = weight_grad_product(a);
  beside.row_sums = sums;
  if (!lt_multiply(context, beside, kSearch)) return false;
  if (a.accumulate) add_sums(context, a.out, sums, a.d_bias);
  return true;
}

template <class T, LtSearch kSearch>
void linear_weight_grad(const Context& context, const LinearWeightGrad<T>& a) {
  static BiasGradChoice<T, kSearch> choice;
  if (a.d_bias != nullptr && choice.is_beside(context, a) &&
      multiply_with_bias_grad<kSearch>(context, a)) {
    return;
  }
  multiply<kSearch>(context, weight_grad_product(a));
  if (a.d_bias != nullptr) column_sums(context, a);
}

}  // namespace

template <class T, LtSearch kSearch>
void install_lt_linear(Ops<T>& ops) {
  constexpr bool kNarrow = std::is_same_v<T, bfloat16>;
  ops.linear_forward = linear_forward<T, kSearch>;
  ops.linear_input_grad = linear_input_grad<T, kSearch>;
  ops.linear_weight_grad = linear_weight_grad<T, kSearch>;
  ops.linear_arithmetic = []() -> std::string_view { return kNarrow ? kBf16TensorCores : "f32"; };
  // cuBLASLt's tanh is an approximation that is good enough for bfloat16 only.
  ops.linear_fuses_gelu = kNarrow;
  ops.linear_prepared_bytes = [](int64_t, int64_t, int64_t) -> int64_t { return 0; };
}

template void install_lt_linear<float, LtSearch{}>(Ops<float>&);
template void install_lt_linear<bfloat16, LtSearch{}>(Ops<bfloat16>&);
template void install_lt_linear<float, kExhaustiveSearch>(Ops<float>&);
template void install_lt_linear<bfloat16, kExhaustiveSearch>(Ops<bfloat16>&);

}  // namespace bench::kernels::cuda
