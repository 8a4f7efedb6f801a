#pragma once
// Token and position embedding, the vocabulary split over tensor ranks (Shoeybi 2019, section 3).

#include <cstdint>

#include "bench/device/context.h"
#include "kernels/args.h"
#include "kernels/rounding.h"

namespace bench::kernels {

template <class T>
void reference_embedding_forward(const EmbeddingForward<T>& a) {
  for (int64_t r = 0; r < a.n; ++r) {
    const int64_t row = a.ids[r] - a.first_row;
    const bool here = row >= 0 && row < a.rows;
    for (int64_t c = 0; c < a.h; ++c) {
      double y = here ? static_cast<double>(a.token[row * a.h + c]) : 0;
      if (a.position != nullptr) y += a.position[r % a.seq * a.h + c];
      a.y[r * a.h + c] = static_cast<T>(y);
    }
  }
}

// Accumulates in Wide<T>, in the order that args.h promises.
template <class T>
void reference_embedding_backward(const EmbeddingBackward<T>& a) {
  for (int64_t r = 0; r < a.n; ++r) {
    const int64_t row = a.ids[r] - a.first_row;
    const bool here = row >= 0 && row < a.rows;
    for (int64_t c = 0; c < a.h; ++c) {
      if (here) a.d_token[row * a.h + c] += a.dy[r * a.h + c];
      if (a.d_position != nullptr) a.d_position[r % a.seq * a.h + c] += a.dy[r * a.h + c];
    }
  }
}

template <class T>
constexpr double kEmbeddingTolerance = kRounding<T>;

namespace cpu {

// T is float, double or bfloat16.
template <class T>
void embedding_forward(const Context&, const EmbeddingForward<T>&);
template <class T>
void embedding_backward(const Context&, const EmbeddingBackward<T>&);

}  // namespace cpu
}  // namespace bench::kernels
