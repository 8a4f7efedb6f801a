#pragma once
// What is done to a product after it was stored, where cuBLASLt cannot do it before.

#include <cstdint>

#include "bench/device/context.h"

namespace bench::kernels::cuda {

// y = product + bias, gelu = gelu(product + bias) besides; or with gelu_of y = product ·
// gelu'(gelu_of). What is not given is not done. T is float or bfloat16.
template <class T>
struct FinishProduct {
  int64_t rows, columns;
  const float* product;        // [rows, columns]; with T = float it may be y
  const T* bias = nullptr;     // [columns]
  const T* gelu_of = nullptr;  // [rows, columns]
  T* y;                        // [rows, columns]
  T* gelu = nullptr;           // [rows, columns]
};

template <class T>
void finish_product(const Context& context, const FinishProduct<T>& a);

}  // namespace bench::kernels::cuda
