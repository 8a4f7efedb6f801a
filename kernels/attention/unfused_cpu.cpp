#include <algorithm>
#include <cmath>
#include <type_traits>

#include "kernels/attention/head.h"
#include "kernels/attention/op.h"
#include "kernels/cpu/parallel.h"
#include "kernels/cpu/scratch.h"
#include "kernels/linear/gemm.h"
#include "kernels/registry.h"
#include "kernels/softmax/rows.h"

namespace bench::kernels::cpu {
namespace {

// Queries are taken in blocks, each against the keys up to its own end: most of what the causal
// mask would throw away is never computed. Smaller blocks save more and multiply slower.
constexpr int64_t kQueries = 128;

// Rows `step` apart.
template <class T>
struct Rows {
  T* memory;
  int64_t step;
  Rows from(int64_t row) const { return {memory + row * step, step}; }
};

// Products are computed in Wide<T>: what lies there in a narrower T is copied to and from `free`.
template <class T>
class WideCopies {
 public:
  using W = Wide<T>;
  static constexpr bool kSame = std::is_same_v<T, W>;

  explicit WideCopies(W* free) : free_(free) {}

  // What `narrow` holds: itself, or a copy.
  Rows<const W> read(Rows<const T> narrow, int64_t rows, int64_t columns) {
    if constexpr (kSame) {
      return narrow;
    } else {
      const Rows<W> wide = write({nullptr, 0}, rows, columns);
      for (int64_t r = 0; r < rows; ++r) {
        std::copy_n(narrow.from(r).memory, columns, wide.from(r).memory);
      }
      return {wide.memory, wide.step};
    }
  }

  // Where to write what narrow() brings to `target`.
  Rows<W> write([[maybe_unused]] Rows<T> target, int64_t rows, int64_t columns) {
    if constexpr (kSame) {
      return target;
    } else {
      W* const memory = free_;
      free_ += rows * columns;
      return {memory, columns};
    }
  }

  static void narrow(Rows<const W> wide, Rows<T> target, int64_t rows, int64_t columns) {
    if constexpr (!kSame) {
      for (int64_t r = 0; r < rows; ++r) {
        std::transform(wide.from(r).memory, wide.from(r).memory + columns, target.from(r).memory,
                       [](W x) { return static_cast<T>(x); });
      }
    }
  }

 private:
  W* free_;
};

// c = op(a) · b + beta · c, of op(a) [m, k].
template <class W>
void multiply(Rows<const W> a, bool transpose_a, Rows<const W> b, bool transpose_b, int64_t m,
              int64_t n, int64_t k, W beta, Rows<W> c) {
  gemm(Gemm<W>{.transpose_a = transpose_a,
               .transpose_b = transpose_b,
               .m = m,
               .n = n,
               .k = k,
               .a = a.memory,
               .lda = a.step,
               .b = b.memory,
               .ldb = b.step,
               .beta = beta,
               .c = c.memory,
               .ldc = c.step});
}

template <class W>
Rows<const W> constant(Rows<W> rows) {
  return {rows.memory, rows.step};
}

template <class T>
void forward_head(const AttentionForward<T>& a, int64_t task, const SoftmaxRows<Wide<T>>& softmax) {
  using W = Wide<T>;
  thread_local Scratch memory;
  const Head<T, AttentionForward<T>> at(a, task);
  const int64_t copied = 3 * a.seq * a.d + kQueries * (a.seq + a.d);
  WideCopies<T> copies(memory.elements<W>(WideCopies<T>::kSame ? 0 : copied));
  const auto q = copies.read({at.q, at.qkv_row}, a.seq, a.d);
  const auto k = copies.read({at.k, at.qkv_row}, a.seq, a.d);
  const auto v = copies.read({at.v, at.qkv_row}, a.seq, a.d);
  const Rows<T> all_p{static_cast<T*>(a.saved) + task * a.seq * a.seq, a.seq};
  const Rows<T> all_out{a.out + at.out, at.out_row};
  for (int64_t first = 0; first < a.seq; first += kQueries) {
    const int64_t queries = std::min(kQueries, a.seq - first), keys = first + queries;
    WideCopies<T> block = copies;
    const auto p = block.write(all_p.from(first), queries, a.seq);
    const auto out = block.write(all_out.from(first), queries, a.d);
    multiply<W>(q.from(first), false, k, true, queries, keys, a.d, 0, p);
    for (int64_t i = 0; i < queries; ++i) {
      W* const row = p.from(i).memory;
      softmax.forward(row, row, first + i + 1, keys, static_cast<W>(score_scale(a.d)));
    }
    multiply<W>(constant(p), false, v, false, queries, a.d, keys, 0, out);
    block.narrow(constant(p), all_p.from(first), queries, keys);
    block.narrow(constant(out), all_out.from(first), queries, a.d);
  }
}

// The gradient of one block's scores, in place of that of its probabilities.
template <class W>
void scores_grad(const SoftmaxRows<W>& softmax, Rows<const W> p, Rows<const W> out,
                 Rows<const W> d_out, int64_t d, int64_t first, int64_t queries, Rows<W> ds) {
  for (int64_t i = 0; i < queries; ++i) {
    // sum_j p dp = d_out · out (Dao 2022, appendix B.2): shorter than the row of probabilities.
    const W mean = softmax.dot(d_out.from(i).memory, out.from(i).memory, d);
    W* const row = ds.from(i).memory;
    softmax.backward(p.from(i).memory, row, row, first + i + 1, first + queries, mean,
                     static_cast<W>(score_scale(d)));
  }
}

// From the last block, which meets every key and so writes dk and dv, to the first; the others add.
template <class T>
void backward_head(const AttentionBackward<T>& a, int64_t task,
                   const SoftmaxRows<Wide<T>>& softmax) {
  using W = Wide<T>;
  thread_local Scratch memory;
  const Head<T, AttentionBackward<T>> at(a, task);
  const int64_t copied = 5 * a.seq * a.d + kQueries * (a.seq + 3 * a.d);
  W* const free = memory.elements<W>(kQueries * a.seq + (WideCopies<T>::kSame ? 0 : copied));
  const Rows<W> ds{free, a.seq};  // [kQueries, seq]
  WideCopies<T> copies(free + kQueries * a.seq);
  const auto q = copies.read({at.q, at.qkv_row}, a.seq, a.d);
  const auto k = copies.read({at.k, at.qkv_row}, a.seq, a.d);
  const auto v = copies.read({at.v, at.qkv_row}, a.seq, a.d);
  const Rows<T> all_dq{a.d_qkv + (at.q - a.qkv), at.qkv_row};
  const Rows<T> all_dk{all_dq.memory + a.d, at.qkv_row}, all_dv{all_dk.memory + a.d, at.qkv_row};
  const auto dk = copies.write(all_dk, a.seq, a.d), dv = copies.write(all_dv, a.seq, a.d);
  const int64_t last = (a.seq - 1) / kQueries * kQueries;
  for (int64_t first = last; first >= 0; first -= kQueries) {
    const int64_t queries = std::min(kQueries, a.seq - first), keys = first + queries;
    const W beta = first == last ? W(0) : W(1);
    WideCopies<T> block = copies;
    const T* const saved = static_cast<const T*>(a.saved) + (task * a.seq + first) * a.seq;
    const auto p = block.read({saved, a.seq}, queries, keys);
    const int64_t row = at.out + first * at.out_row;
    const auto d_out = block.read({a.d_out + row, at.out_row}, queries, a.d);
    const auto out = block.read({a.out + row, at.out_row}, queries, a.d);
    const auto dq = block.write(all_dq.from(first), queries, a.d);
    multiply<W>(d_out, false, v, true, queries, keys, a.d, 0, ds);
    scores_grad(softmax, p, out, d_out, a.d, first, queries, ds);
    multiply<W>(constant(ds), false, k, false, queries, a.d, keys, 0, dq);
    multiply<W>(constant(ds), true, q.from(first), false, keys, a.d, queries, beta, dk);
    multiply<W>(p, true, d_out, false, keys, a.d, queries, beta, dv);
    block.narrow(constant(dq), all_dq.from(first), queries, a.d);
  }
  copies.narrow(constant(dk), all_dk, a.seq, a.d);
  copies.narrow(constant(dv), all_dv, a.seq, a.d);
}

}  // namespace

// One thread a head: the products are small, and stay on their thread.
template <class T>
void attention_forward_unfused(const Context& context, const AttentionForward<T>& a) {
  const ScopedThreads threads(context);
  const auto softmax = softmax_rows<Wide<T>>();
  parallel_tasks(context, a.batch * a.heads, [&](int64_t task) { forward_head(a, task, softmax); });
}

template <class T>
void attention_backward_unfused(const Context& context, const AttentionBackward<T>& a) {
  const ScopedThreads threads(context);
  const auto softmax = softmax_rows<Wide<T>>();
  parallel_tasks(context, a.batch * a.heads,
                 [&](int64_t task) { backward_head(a, task, softmax); });
}

template <class T>
int64_t attention_saved_bytes_unfused(int64_t batch, int64_t seq, int64_t heads, int64_t) {
  return batch * heads * seq * seq * static_cast<int64_t>(sizeof(T));
}

template void attention_forward_unfused(const Context&, const AttentionForward<float>&);
template void attention_backward_unfused(const Context&, const AttentionBackward<float>&);
template int64_t attention_saved_bytes_unfused<float>(int64_t, int64_t, int64_t, int64_t);
template void attention_forward_unfused(const Context&, const AttentionForward<double>&);
template void attention_backward_unfused(const Context&, const AttentionBackward<double>&);
template int64_t attention_saved_bytes_unfused<double>(int64_t, int64_t, int64_t, int64_t);
template void attention_forward_unfused(const Context&, const AttentionForward<bfloat16>&);
template void attention_backward_unfused(const Context&, const AttentionBackward<bfloat16>&);
template int64_t attention_saved_bytes_unfused<bfloat16>(int64_t, int64_t, int64_t, int64_t);

void register_attention_unfused(VariantList& list) {
  list.add<float, double, bfloat16>("attention", "unfused", DeviceKind::cpu,
                                    []<class T>(Ops<T>& ops) {
                                      ops.attention_forward = attention_forward_unfused<T>;
                                      ops.attention_backward = attention_backward_unfused<T>;
                                      ops.attention_saved_bytes = attention_saved_bytes_unfused<T>;
                                    });
}

}  // namespace bench::kernels::cpu
