#pragma once
// Sums over rows that each part makes of its own rows and that are then added in the order of the
// parts: the same bits for the same number of threads.

#include <algorithm>
#include <cstdint>

#include "kernels/cpu/parallel.h"
#include "kernels/cpu/scratch.h"

namespace bench::kernels::cpu {

// [parts, columns] of zeros, each row on lines of its own.
template <class W>
class ColumnPartials {
 public:
  ColumnPartials(Scratch& memory, int64_t parts, int64_t columns)
      : stride_((columns + kLine<W> - 1) / kLine<W> * kLine<W>),
        parts_(parts),
        data_(memory.elements<W>(parts * stride_)) {
    std::fill_n(data_, parts * stride_, W(0));
  }
  W* row(int64_t part) { return data_ + part * stride_; }

  // add(row) for every part, in order.
  template <class Add>
  void add_up(const Add& add) {
    for (int64_t part = 0; part < parts_; ++part) add(row(part));
  }

 private:
  int64_t stride_, parts_;
  W* data_;
};

// A row of zeros, to stand for a bias or a residual that is not there.
template <class T>
const T* zero_row(Scratch& memory, int64_t columns) {
  T* const row = memory.elements<T>(columns);
  std::fill_n(row, columns, T(0));
  return row;
}

// Whether rows of `columns` elements from `out` on can be written past the caches.
template <class T>
bool can_stream(const T* out, int64_t columns) {
  return reinterpret_cast<uintptr_t>(out) % 64 == 0 && columns % kLine<T> == 0;
}

}  // namespace bench::kernels::cpu
