// The published form (Shoeybi 2019; Narayanan 2021, section 4.2): the scores of all pairs, scale,
// mask and softmax in one pass over them, and a second product. The probabilities
// [batch, heads, seq, seq] are saved; in bfloat16 scores and probabilities are, too.
#include <cmath>

#include "bench/base/dtype.h"
#include "kernels/attention/head_products.h"
#include "kernels/attention/op.h"
#include "kernels/cuda/scratch.h"
#include "kernels/registry.h"

namespace bench::kernels::cuda {
namespace {

// The heads of one sequence: q, k or v of qkv (part 0, 1, 2), rows of out, and scores [heads, seq,
// seq].
template <class T, class Args>
class Sequence {
 public:
  Sequence(const Args& a, int64_t b) : a_(a), b_(b) {}

  HeadMatrices qkv(const T* all, int64_t part) const {
    return {.memory = const_cast<T*>(all) + qkv_offset(a_, b_, 0, 0, part),
            .row_step = a_.heads * 3 * a_.d,
            .head_step = 3 * a_.d};
  }
  HeadMatrices out(const T* all) const {
    return {.memory = const_cast<T*>(all) + b_ * a_.seq * a_.heads * a_.d,
            .row_step = a_.heads * a_.d,
            .head_step = a_.d};
  }
  HeadMatrices scores(const T* first) const {
    return {.memory = const_cast<T*>(first), .row_step = a_.seq, .head_step = a_.seq * a_.seq};
  }
  // Elements of a sequence's scores.
  int64_t scores_size() const { return a_.heads * a_.seq * a_.seq; }

  // [seq, seq] or [seq, d] a head.
  HeadProducts product(HeadMatrices a, HeadMatrices b, HeadMatrices c, int64_t n, int64_t k) const {
    return {.dtype = dtype_of<T>(),
            .heads = a_.heads,
            .m = a_.seq,
            .n = n,
            .k = k,
            .a = a,
            .b = b,
            .c = c};
  }

 private:
  const Args& a_;
  int64_t b_;
};

HeadMatrices transposed(HeadMatrices m) {
  m.transposed = true;
  return m;
}

template <class T>
Wide<T> scale_of(int64_t d) {
  return static_cast<Wide<T>>(1 / std::sqrt(static_cast<double>(d)));
}

// The softmax of this build.
template <class T>
const Ops<T>& ops() {
  static const Ops<T> found = ops_for<T>(DeviceKind::cuda);
  return found;
}

template <class T>
void forward(const Context& context, const AttentionForward<T>& a) {
  std::byte* const workspace = scratch(context, kHeadProductsWorkspaceBytes);
  for (int64_t b = 0; b < a.batch; ++b) {
    const Sequence<T, AttentionForward<T>> at(a, b);
    T* const p = static_cast<T*>(a.saved) + b * at.scores_size();
    const auto q = at.qkv(a.qkv, 0), k = at.qkv(a.qkv, 1), v = at.qkv(a.qkv, 2);
    multiply_heads(context, at.product(q, transposed(k), at.scores(p), a.seq, a.d), workspace);
    ops<T>().softmax_forward(
        context,
        {.rows = a.heads * a.seq, .seq = a.seq, .scale = scale_of<T>(a.d), .x = p, .y = p});
    multiply_heads(context, at.product(at.scores(p), v, at.out(a.out), a.d, a.seq), workspace);
  }
}

template <class T>
void backward(const Context& context, const AttentionBackward<T>& a) {
  using At = Sequence<T, AttentionBackward<T>>;
  const auto bytes = static_cast<size_t>(At(a, 0).scores_size()) * sizeof(T);
  std::byte* const workspace = scratch(context, kHeadProductsWorkspaceBytes + bytes);
  T* const ds = reinterpret_cast<T*>(workspace + kHeadProductsWorkspaceBytes);
  for (int64_t b = 0; b < a.batch; ++b) {
    const At at(a, b);
    const T* const p = static_cast<const T*>(a.saved) + b * at.scores_size();
    const auto q = at.qkv(a.qkv, 0), k = at.qkv(a.qkv, 1), v = at.qkv(a.qkv, 2);
    const auto dq = at.qkv(a.d_qkv, 0), dk = at.qkv(a.d_qkv, 1), dv = at.qkv(a.d_qkv, 2);
    const auto d_out = at.out(a.d_out);
    const auto multiply = [&](HeadMatrices left, HeadMatrices right, HeadMatrices to, int64_t n,
                              int64_t depth) {
      multiply_heads(context, at.product(left, right, to, n, depth), workspace);
    };
    multiply(transposed(at.scores(p)), d_out, dv, a.d, a.seq);
    multiply(d_out, transposed(v), at.scores(ds), a.seq, a.d);
    ops<T>().softmax_backward(context, {.rows = a.heads * a.seq,
                                        .seq = a.seq,
                                        .scale = scale_of<T>(a.d),
                                        .dy = ds,
                                        .y = p,
                                        .dx = ds});
    multiply(at.scores(ds), k, dq, a.d, a.seq);
    multiply(transposed(at.scores(ds)), q, dk, a.d, a.seq);
  }
}

template <class T>
int64_t saved_bytes(int64_t batch, int64_t seq, int64_t heads, int64_t) {
  return batch * heads * seq * seq * static_cast<int64_t>(sizeof(T));
}

}  // namespace

void register_attention_unfused(VariantList& list) {
  list.add<float, bfloat16>("attention", "unfused", DeviceKind::cuda, []<class T>(Ops<T>& o) {
    o.attention_forward = forward<T>;
    o.attention_backward = backward<T>;
    o.attention_saved_bytes = saved_bytes<T>;
  });
}

}  // namespace bench::kernels::cuda
