#pragma once
// Matrix products by a micro-kernel of our own: both factors are brought into the order in which it
// reads them, in blocks that stay in the caches (Goto 2008, "Anatomy of High-Performance Matrix
// Multiplication"). Factors may be bfloat16: they become float on the way, so that storing them
// narrow costs no pass of its own.

#include <cstdint>

#include "bench/base/bfloat16.h"
#include "bench/device/context.h"
#include "kernels/linear/prepared.h"

namespace bench::kernels::cpu {

// A factor of a product: element k of line i (a row of the left factor, a column of the right) is
// at[i · line_step + k · depth_step]. One of the steps is 1.
template <class T>
struct Factor {
  const T* at;
  int64_t line_step, depth_step;
};

// c[m,n] (+)= left[m,k] · right[k,n] + bias[n], in float; c's rows without gaps, rounded once.
template <class T, class Out>
struct PackedProduct {
  int64_t m, n, k;
  Factor<T> left, right;
  const Out* bias = nullptr;  // [n] or nullptr
  bool accumulate = false;    // only where Out is float
  Out* c;
  PreparedForm* prepared = nullptr;  // of the right factor; nullptr: packed as it is needed
};

// On the device's threads. The same bits for any number of them: the sum over k has one order.
template <class T, class Out>
void multiply_packed(const Context& context, const PackedProduct<T, Out>& product);

// Bytes of the right factor as PackedProduct::prepared holds it.
int64_t packed_bytes(int64_t k, int64_t n);

}  // namespace bench::kernels::cpu
