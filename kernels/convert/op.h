#pragma once
// Between the type of activations and weights and the one they are computed in; for float and
// double a copy.

#include <cstdint>

#include "bench/device/context.h"
#include "kernels/args.h"

namespace bench::kernels {

template <class T>
void reference_convert_narrow(const ConvertNarrow<T>& a) {
  for (int64_t i = 0; i < a.size; ++i) a.y[i] = static_cast<T>(a.x[i]);
}

template <class T>
void reference_convert_widen(const ConvertWiden<T>& a) {
  for (int64_t i = 0; i < a.size; ++i) a.y[i] = static_cast<Wide<T>>(a.x[i]);
}

namespace cpu {

// T is float, double or bfloat16.
template <class T>
void convert_narrow(const Context&, const ConvertNarrow<T>&);
template <class T>
void convert_widen(const Context&, const ConvertWiden<T>&);

}  // namespace cpu
}  // namespace bench::kernels
