#include <algorithm>

#include "kernels/cpu/parallel.h"
#include "kernels/embedding/op.h"

// Copies and additions of whole rows: memory sets the time, so the compiler's vectors are enough.
namespace bench::kernels::cpu {
namespace {

template <class T, class To>
void add_to(const T* from, To* to, int64_t size) {
  for (int64_t i = 0; i < size; ++i) to[i] = static_cast<To>(Wide<T>(to[i]) + from[i]);
}

// The vocabulary row of token r, or -1 where another rank holds it.
template <class Args>
int64_t row_of(const Args& a, int64_t r) {
  const int64_t row = a.ids[r] - a.first_row;
  return row >= 0 && row < a.rows ? row : -1;
}

}  // namespace

template <class T>
void embedding_forward(const Context& context, const EmbeddingForward<T>& a) {
  parallel_parts(context, a.n, 1, [&](const Part& part) {
    for (int64_t r = part.begin; r < part.end; ++r) {
      T* const y = a.y + r * a.h;
      const int64_t row = row_of(a, r);
      if (row >= 0) {
        std::copy_n(a.token + row * a.h, a.h, y);
      } else {
        std::fill_n(y, a.h, T(0));
      }
      if (a.position != nullptr) add_to(a.position + r % a.seq * a.h, y, a.h);
    }
  });
}

// Threads share the columns, so that each row's sum is in token order whatever their number.
template <class T>
void embedding_backward(const Context& context, const EmbeddingBackward<T>& a) {
  parallel_parts(context, a.h, kLine<T>, [&](const Part& part) {
    const int64_t columns = part.end - part.begin;
    for (int64_t r = 0; r < a.n; ++r) {
      const T* const dy = a.dy + r * a.h + part.begin;
      const int64_t row = row_of(a, r);
      if (row >= 0) add_to(dy, a.d_token + row * a.h + part.begin, columns);
      if (a.d_position != nullptr) {
        add_to(dy, a.d_position + r % a.seq * a.h + part.begin, columns);
      }
    }
  });
}

template void embedding_forward(const Context&, const EmbeddingForward<float>&);
template void embedding_forward(const Context&, const EmbeddingForward<double>&);
template void embedding_forward(const Context&, const EmbeddingForward<bfloat16>&);
template void embedding_backward(const Context&, const EmbeddingBackward<float>&);
template void embedding_backward(const Context&, const EmbeddingBackward<double>&);
template void embedding_backward(const Context&, const EmbeddingBackward<bfloat16>&);

}  // namespace bench::kernels::cpu
