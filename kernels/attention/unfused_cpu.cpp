#include <algorithm>
#include <cmath>
#include <tuple>

#include "kernels/attention/op.h"
#include "kernels/cpu/parallel.h"
#include "kernels/cpu/scratch.h"
#include "kernels/linear/gemm.h"

namespace bench::kernels::cpu {

// Rows of the softmax, for one instruction set.
template <class T>
struct SoftmaxRows {
  void (*forward)(T* s, int64_t count, int64_t width, T scale);
  T (*dot)(const T* a, const T* b, int64_t size);
  void (*backward)(const T* p, T* g, int64_t count, int64_t width, T mean, T scale);
};
using SoftmaxTables = std::tuple<SoftmaxRows<float>, SoftmaxRows<double>>;

}  // namespace bench::kernels::cpu

// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/attention/simd-inl.h"
#include <hwy/foreach_target.h>
#include "kernels/attention/simd-inl.h"
// clang-format on

namespace bench::kernels::cpu {

HWY_EXPORT(softmax_tables);

namespace {

// Queries are taken in blocks, each against the keys up to its own end: most of what the causal
// mask would throw away is never computed. Smaller blocks save more and multiply slower.
constexpr int64_t kQueries = 128;

// Where one head of one sequence lies.
template <class T, class Args>
struct Head {
  Head(const Args& a, int64_t task)
      : batch(task / a.heads),
        head(task % a.heads),
        qkv_row(a.heads * 3 * a.d),
        out_row(a.heads * a.d),
        q(a.qkv + qkv_offset(a, batch, 0, head, 0)),
        k(q + a.d),
        v(k + a.d),
        out((batch * a.seq * a.heads + head) * a.d),
        p(task * a.seq * a.seq) {}

  int64_t batch, head;
  int64_t qkv_row, out_row;  // distance of two rows
  const T *q, *k, *v;
  int64_t out;  // offset in [batch*seq, heads, d]
  int64_t p;    // offset in [batch, heads, seq, seq]
};

template <class T>
SoftmaxRows<T> rows_here() {
  return std::get<SoftmaxRows<T>>(HWY_DYNAMIC_DISPATCH(softmax_tables)());
}

template <class T>
T score_scale(int64_t d) {
  return static_cast<T>(1 / std::sqrt(static_cast<double>(d)));
}

template <class T>
void forward_head(const AttentionForward<T>& a, int64_t task, const SoftmaxRows<T>& softmax) {
  const Head<T, AttentionForward<T>> at(a, task);
  for (int64_t first = 0; first < a.seq; first += kQueries) {
    const int64_t queries = std::min(kQueries, a.seq - first), keys = first + queries;
    T* const p = static_cast<T*>(a.saved) + at.p + first * a.seq;  // [queries, keys]
    gemm(Gemm<T>{.transpose_b = true,
                 .m = queries,
                 .n = keys,
                 .k = a.d,
                 .a = at.q + first * at.qkv_row,
                 .lda = at.qkv_row,
                 .b = at.k,
                 .ldb = at.qkv_row,
                 .c = p,
                 .ldc = a.seq});
    for (int64_t i = 0; i < queries; ++i) {
      softmax.forward(p + i * a.seq, first + i + 1, keys, score_scale<T>(a.d));
    }
    gemm(Gemm<T>{.m = queries,
                 .n = a.d,
                 .k = keys,
                 .a = p,
                 .lda = a.seq,
                 .b = at.v,
                 .ldb = at.qkv_row,
                 .c = a.out + at.out + first * at.out_row,
                 .ldc = at.out_row});
  }
}

// From the last block, which meets every key and so writes dk and dv, to the first; the others add.
template <class T>
void backward_head(const AttentionBackward<T>& a, int64_t task, const SoftmaxRows<T>& softmax) {
  thread_local Scratch memory;
  const Head<T, AttentionBackward<T>> at(a, task);
  T* const ds = memory.elements<T>(kQueries * a.seq);  // [queries, keys]
  T* const dq = a.d_qkv + (at.q - a.qkv);
  T *const dk = dq + a.d, *const dv = dk + a.d;
  const int64_t last = (a.seq - 1) / kQueries * kQueries;
  for (int64_t first = last; first >= 0; first -= kQueries) {
    const int64_t queries = std::min(kQueries, a.seq - first), keys = first + queries;
    const T beta = first == last ? T(0) : T(1);
    const T* const p = static_cast<const T*>(a.saved) + at.p + first * a.seq;
    const T* const d_out = a.d_out + at.out + first * at.out_row;
    const T* const out = a.out + at.out + first * at.out_row;
    gemm(Gemm<T>{.transpose_b = true,
                 .m = queries,
                 .n = keys,
                 .k = a.d,
                 .a = d_out,
                 .lda = at.out_row,
                 .b = at.v,
                 .ldb = at.qkv_row,
                 .c = ds,
                 .ldc = a.seq});
    for (int64_t i = 0; i < queries; ++i) {
      // sum_j p dp = d_out · out (Dao 2022, appendix B.2): shorter than the row of probabilities.
      const T mean = softmax.dot(d_out + i * at.out_row, out + i * at.out_row, a.d);
      softmax.backward(p + i * a.seq, ds + i * a.seq, first + i + 1, keys, mean,
                       score_scale<T>(a.d));
    }
    const Gemm<T> to_dq{.m = queries,
                        .n = a.d,
                        .k = keys,
                        .a = ds,
                        .lda = a.seq,
                        .b = at.k,
                        .ldb = at.qkv_row,
                        .c = dq + first * at.qkv_row,
                        .ldc = at.qkv_row};
    const Gemm<T> to_dk{.transpose_a = true,
                        .m = keys,
                        .n = a.d,
                        .k = queries,
                        .a = ds,
                        .lda = a.seq,
                        .b = at.q + first * at.qkv_row,
                        .ldb = at.qkv_row,
                        .beta = beta,
                        .c = dk,
                        .ldc = at.qkv_row};
    Gemm<T> to_dv = to_dk;
    to_dv.a = p;
    to_dv.b = d_out;
    to_dv.ldb = at.out_row;
    to_dv.c = dv;
    gemm(to_dq);
    gemm(to_dk);
    gemm(to_dv);
  }
}

}  // namespace

// One thread a head: the products are small, and stay on their thread.
template <class T>
void attention_forward_unfused(const Context& context, const AttentionForward<T>& a) {
  const ScopedThreads threads(context);
  const auto softmax = rows_here<T>();
  parallel_parts(context, a.batch * a.heads, 1, [&](const Part& part) {
    for (int64_t task = part.begin; task < part.end; ++task) forward_head(a, task, softmax);
  });
}

template <class T>
void attention_backward_unfused(const Context& context, const AttentionBackward<T>& a) {
  const ScopedThreads threads(context);
  const auto softmax = rows_here<T>();
  parallel_parts(context, a.batch * a.heads, 1, [&](const Part& part) {
    for (int64_t task = part.begin; task < part.end; ++task) backward_head(a, task, softmax);
  });
}

template <class T>
int64_t attention_saved_bytes_unfused(int64_t batch, int64_t seq, int64_t heads, int64_t) {
  return batch * heads * seq * seq * static_cast<int64_t>(sizeof(T));
}

template int64_t attention_saved_bytes_unfused<float>(int64_t, int64_t, int64_t, int64_t);
template int64_t attention_saved_bytes_unfused<double>(int64_t, int64_t, int64_t, int64_t);
template void attention_forward_unfused(const Context&, const AttentionForward<float>&);
template void attention_forward_unfused(const Context&, const AttentionForward<double>&);
template void attention_backward_unfused(const Context&, const AttentionBackward<float>&);
template void attention_backward_unfused(const Context&, const AttentionBackward<double>&);

}  // namespace bench::kernels::cpu
