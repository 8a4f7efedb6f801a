#pragma once
// How far a kernel may be from its reference. The error is max|got - want| over the whole output,
// divided by max|want|; each op.h states its own bound in these terms.

#include <cmath>
#include <cstdint>
#include <limits>
#include <type_traits>

#include "kernels/args.h"

namespace bench::kernels {

// Unit roundoff of T.
template <class T>
constexpr double kRounding = std::numeric_limits<T>::epsilon() / 2;
template <>
inline constexpr double kRounding<bfloat16> = 0x1p-8;

// What storing a result in a type narrower than that of the arithmetic may add. Both the result and
// the reference are rounded: near the middle between two numbers to either of them, which differ by
// twice the rounding.
template <class T>
constexpr double kStoring = std::is_same_v<T, Wide<T>> ? 0 : 2.02 * kRounding<T>;

// A sum of `terms` products whose roundings are independent grows with the root (Higham 2019); 4 is
// margin.
template <class T>
double sum_tolerance(int64_t terms) {
  return kRounding<Wide<T>> * (16 + 4 * std::sqrt(static_cast<double>(terms))) + kStoring<T>;
}

// A few operations an element.
template <class T>
constexpr double kElementTolerance = 32 * kRounding<Wide<T>> + kStoring<T>;

// What approximations may add that are good enough beside storing in T: an eighth of its rounding.
template <class T>
constexpr double kApproximation = std::is_same_v<T, Wide<T>> ? 0 : kRounding<T> / 8;

}  // namespace bench::kernels
