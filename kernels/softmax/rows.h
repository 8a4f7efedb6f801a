#pragma once
// One row of the softmax, for the ops that contain one.

#include <cstdint>

#include "kernels/args.h"

namespace bench::kernels::cpu {

template <class T>
struct SoftmaxRows {
  // y[0, count) = softmax(scale · x), y[count, width) = 0. y may equal x; scale > 0.
  void (*forward)(const T* x, T* y, int64_t count, int64_t width, Wide<T> scale);
  // sum a b
  Wide<T> (*dot)(const T* a, const T* b, int64_t count);
  // dx[0, count) = scale y (dy - mean), dx[count, width) = 0. dx may equal dy.
  void (*backward)(const T* y, const T* dy, T* dx, int64_t count, int64_t width, Wide<T> mean,
                   Wide<T> scale);
};

// For the instruction set here.
template <class T>
SoftmaxRows<T> softmax_rows();

}  // namespace bench::kernels::cpu
