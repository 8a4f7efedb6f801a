#pragma once
// Matrix products by cuBLASLt, with what it can do to a result before it stores it.

#include <cstddef>
#include <optional>

#include "bench/base/dtype.h"
#include "bench/device/context.h"
#include "kernels/linear/column_major.h"

namespace bench::kernels::cuda {

// c (+)= op(a) · op(b), all in device memory. Operands of type f32, multiplied as such and not as
// TF32, or bf16; sums are kept in f32, also where the depth is shared among blocks.
struct LtProduct {
  RowMajorProduct shape;
  DType operands = DType::f32;
  DType result = DType::f32;  // that of the operands, or f32
  bool accumulate = false;    // c is added to
  const void* a = nullptr;
  const void* b = nullptr;
  void* c = nullptr;  // [m,n]

  // At most one of these three; all of type `result`.
  // c = product + bias. With pre_gelu, that goes there and c becomes gelu of it, in tanh form.
  const void* bias = nullptr;  // [n]
  void* pre_gelu = nullptr;    // [m,n]
  // c = product · gelu'(gelu_of)
  const void* gelu_of = nullptr;  // [m,n]
  // The sums over the depth of op(a), written: a bias gradient beside a weight gradient.
  void* row_sums = nullptr;  // [m]
};

// How the algorithm is looked for at a product's first use: the most promising ones, by the
// library's own estimate, are timed on operands of the same extents, and the fastest is kept. With
// context.deterministic only those that give the same bits as the most promising one take part, so
// that a choice by time does not change a result from run to run.
struct LtSearch {
  int candidates = 16;
  bool any_bits = false;  // whatever the context says
};
// All that the library would propose.
inline constexpr LtSearch kExhaustiveSearch{.candidates = 128, .any_bits = true};

// Runs it, with the algorithm of its first use; false, and nothing is written, where cuBLASLt has
// none. While a graph is recorded, the most promising one is taken unless it was chosen before.
// Throws EnvironmentError where cuBLASLt fails.
bool lt_multiply(const Context& context, const LtProduct& product, const LtSearch& search = {});

// What the chosen algorithm takes; none where there is none, or where it was not timed.
std::optional<double> lt_seconds(const Context& context, const LtProduct& product,
                                 const LtSearch& search = {});

// Scratch (kernels/cuda/scratch.h) that the products of this call leave alone.
std::byte* lt_scratch(const Context& context, size_t bytes);

}  // namespace bench::kernels::cuda
