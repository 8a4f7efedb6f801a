// Vector code of the embedding, read once for each instruction set.
#include "kernels/cpu/pairs-inl.h"

HWY_BEFORE_NAMESPACE();
namespace bench::kernels::cpu::HWY_NAMESPACE {

// The vocabulary row of token r, or -1 where another rank holds it.
template <class Args>
HWY_INLINE int64_t row_of(const Args& a, int64_t r) {
  const int64_t row = a.ids[r] - a.first_row;
  return row >= 0 && row < a.rows ? row : -1;
}

// zeros: [h], for tokens and positions that are not added here.
template <class T, bool kStream>
HWY_INLINE void embedding_forward_rows(const EmbeddingForward<T>& a, const Part& part,
                                       const T* zeros) {
  const auto add = [](auto, int64_t, auto token, auto position)
                       HWY_ATTR { return hn::Add(token, position); };
  for (int64_t r = part.begin; r < part.end; ++r) {
    const auto token_of = [&](int64_t i) {
      const int64_t row = row_of(a, i);
      return row < 0 ? zeros : a.token + row * a.h;
    };
    // Which row comes next no prefetcher can know.
    const T* const next = token_of(HWY_MIN(r + 1, part.end - 1));
    const auto ahead = [next](int64_t i) HWY_ATTR { prefetch_step(next + i); };
    const T* const position = a.position == nullptr ? zeros : a.position + r % a.seq * a.h;
    map_pairs<T, kStream>(a.h, a.y + r * a.h, add, ahead, token_of(r), position);
  }
}

template <class T>
void embedding_forward_part(const EmbeddingForward<T>& a, const Part& part, const T* zeros,
                            bool stream) {
  if (stream) {
    embedding_forward_rows<T, true>(a, part, zeros);
    hwy::FlushStream();
  } else {
    embedding_forward_rows<T, false>(a, part, zeros);
  }
}

template <class T>
HWY_INLINE void add_row(const T* dy, Wide<T>* to, int64_t size) {
  for_vectors<T>(0, size, [&](auto d, int64_t i) HWY_ATTR {
    store(hn::Add(load(d, to + i), load(d, dy + i)), d, to + i);
  });
}

// The part's columns of every row, in ascending token order.
template <class T>
void embedding_backward_part(const EmbeddingBackward<T>& a, const Part& part) {
  const int64_t columns = part.end - part.begin;
  for (int64_t r = 0; r < a.n; ++r) {
    const T* const dy = a.dy + r * a.h + part.begin;
    const int64_t row = row_of(a, r);
    if (row >= 0) add_row(dy, a.d_token + row * a.h + part.begin, columns);
    if (a.d_position != nullptr) {
      add_row(dy, a.d_position + r % a.seq * a.h + part.begin, columns);
    }
  }
}

template <class T>
EmbeddingParts<T> embedding_parts() {
  return {embedding_forward_part<T>, embedding_backward_part<T>};
}

inline EmbeddingTables embedding_tables() {
  return {embedding_parts<float>(), embedding_parts<double>(), embedding_parts<bfloat16>()};
}

}  // namespace bench::kernels::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
