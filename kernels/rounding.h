#pragma once
// How far a kernel may be from its reference. The error is max|got - want| over the whole output,
// divided by max|want|; each op.h states its own bound in these terms.

#include <cmath>
#include <cstdint>
#include <limits>

namespace bench::kernels {

// Unit roundoff of T.
template <class T>
constexpr double kRounding = std::numeric_limits<T>::epsilon() / 2;

// A sum of `terms` products whose roundings are independent grows with the root (Higham 2019); 4 is
// margin.
template <class T>
double sum_tolerance(int64_t terms) {
  return kRounding<T> * (16 + 4 * std::sqrt(static_cast<double>(terms)));
}

// A few operations an element.
template <class T>
constexpr double kElementTolerance = 32 * kRounding<T>;

}  // namespace bench::kernels
