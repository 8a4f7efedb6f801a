#pragma once
// Addition of vectors, sums of a vector and of its squares.

#include <cstdint>

#include "bench/device/context.h"
#include "kernels/args.h"
#include "kernels/rounding.h"

namespace bench::kernels {

template <class T>
void reference_add(const Add<T>& a) {
  for (int64_t i = 0; i < a.size; ++i) {
    a.y[i] = static_cast<T>(static_cast<double>(a.y[i]) + a.x[i]);
  }
}

template <class T>
void reference_sum_of_squares(const SumOfSquares<T>& a) {
  long double sum = 0;  // of many terms one after the other
  for (int64_t i = 0; i < a.size; ++i) sum += static_cast<double>(a.x[i]) * a.x[i];
  *a.result += static_cast<double>(sum);
}

template <class T>
void reference_sum(const Sum<T>& a) {
  long double sum = 0;
  for (int64_t i = 0; i < a.size; ++i) sum += static_cast<double>(a.x[i]);
  *a.result += static_cast<double>(sum);
}

template <class T>
constexpr double kAddTolerance = kRounding<T>;

// Of the sum of the terms' sizes: for the sum as well.
inline double sum_of_squares_tolerance(int64_t size) { return sum_tolerance<double>(size); }

namespace cpu {

// T is float, double or bfloat16.
template <class T>
void add(const Context&, const Add<T>&);
template <class T>
void sum_of_squares(const Context&, const SumOfSquares<T>&);
template <class T>
void sum(const Context&, const Sum<T>&);

}  // namespace cpu
}  // namespace bench::kernels
