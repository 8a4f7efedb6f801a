// Causal self-attention, forward and backward. One head of one sequence is checked.
#include "kernels/attention/op.h"
#include "plugins/kernels/op_case.h"

namespace bench::kernel_cases {
namespace {
using namespace kernels;

// One head of the first sequence out of rows of `heads` heads with `width` elements each.
template <class T>
std::vector<T> take_head(const T* rows, int64_t seq, int64_t heads, int64_t head, int64_t width) {
  std::vector<T> taken(static_cast<size_t>(seq * width));
  for (int64_t r = 0; r < seq; ++r)
    std::copy_n(rows + (r * heads + head) * width, width, taken.begin() + r * width);
  return taken;
}

template <class T>
AttentionForward<T> allocate_forward(const OpSetting<T>& s, Memory& memory) {
  const int64_t out = s.batch * s.seq * s.heads * s.d;
  return {.batch = s.batch,
          .seq = s.seq,
          .heads = s.heads,
          .d = s.d,
          .qkv = memory.uniform<T>(3 * out),
          .out = memory.poisoned<T>(out),
          .saved = memory.poisoned<std::byte>(
              s.ops->attention_saved_bytes(s.batch, s.seq, s.heads, s.d))};
}

template <class T>
sdk::Check check_forward(HostView& host, AttentionForward<T> a) {
  a.batch = 1;
  a = host.arguments(a);
  const int64_t head = a.heads - 1;
  const std::vector<T> qkv = take_head(a.qkv, a.seq, a.heads, head, 3 * a.d);
  std::vector<T> expected(static_cast<size_t>(a.seq * a.d));
  reference_attention_forward<T>({.batch = 1,
                                  .seq = a.seq,
                                  .heads = 1,
                                  .d = a.d,
                                  .qkv = qkv.data(),
                                  .out = expected.data(),
                                  .saved = nullptr});
  const auto got = take_head<T>(a.out, a.seq, a.heads, head, a.d);
  return judged(relative_error(got.data(), expected), attention_tolerance<T>(a.seq, a.d),
                "one head of out");
}

template <class T>
sdk::Check check_backward(HostView& host, AttentionBackward<T> a) {
  a.batch = 1;
  a = host.arguments(a);
  const int64_t head = a.heads - 1;
  const std::vector<T> qkv = take_head(a.qkv, a.seq, a.heads, head, 3 * a.d);
  const std::vector<T> d_out = take_head(a.d_out, a.seq, a.heads, head, a.d);
  std::vector<T> expected(static_cast<size_t>(a.seq * 3 * a.d));
  reference_attention_backward<T>({.batch = 1,
                                   .seq = a.seq,
                                   .heads = 1,
                                   .d = a.d,
                                   .qkv = qkv.data(),
                                   .out = nullptr,
                                   .saved = nullptr,
                                   .d_out = d_out.data(),
                                   .d_qkv = expected.data()});
  const auto got = take_head<T>(a.d_qkv, a.seq, a.heads, head, 3 * a.d);
  return judged(relative_error(got.data(), expected), attention_tolerance<T>(a.seq, a.d),
                "one head of d_qkv");
}

// Two products over the half of the square on and below the diagonal; backward takes four, and
// flash one more, since it makes the probabilities again.
template <class T>
OpWork work(const OpSetting<T>& s, const std::string& name, double products, double tensors,
            bool cold) {
  const double out = static_cast<double>(s.batch * s.seq * s.heads * s.d);
  const auto saved =
      static_cast<double>(s.ops->attention_saved_bytes(s.batch, s.seq, s.heads, s.d));
  return {.name = name,
          .op = "attention",
          .extents = {{"batch", static_cast<double>(s.batch)},
                      {"seq", static_cast<double>(s.seq)},
                      {"heads", static_cast<double>(s.heads)},
                      {"d", static_cast<double>(s.d)}},
          .flops = products * static_cast<double>(s.seq + 1) * out,
          .bytes = tensors * out * sizeof(T) + saved,
          .pattern = {},
          .per_step = static_cast<double>(s.layers),
          .cold = cold,
          .flank = {},
          .shape = {.batch = s.batch, .seq = s.seq, .heads = s.heads, .d = s.d}};
}

template <class T>
sdk::Case forward(const OpSetting<T>& s, bool cold) {
  using Tensors = AttentionForward<T>;
  return op_case<Tensors>(
      s, work(s, "gpt2.layer.attention.fwd", 2, 4, cold),
      [s](Memory& memory) { return allocate_forward(s, memory); },
      [ops = s.ops](const Context& c, const Tensors& a) {
        return Running{.run = [ops, a, &c] { ops->attention_forward(c, a); },
                       .check = [a](HostView& host) { return check_forward(host, a); }};
      });
}

template <class T>
struct Both {
  AttentionForward<T> forward;
  AttentionBackward<T> backward;
};

template <class T>
sdk::Case backward(const OpSetting<T>& s, bool cold) {
  using Tensors = Both<T>;
  return op_case<Tensors>(
      s,
      work(s, "gpt2.layer.attention.bwd", s.variant_of("attention") == "unfused" ? 4 : 5, 8, cold),
      [s](Memory& memory) {
        const AttentionForward<T> f = allocate_forward(s, memory);
        const int64_t out = f.batch * f.seq * f.heads * f.d;
        return Tensors{.forward = f,
                       .backward = {.batch = f.batch,
                                    .seq = f.seq,
                                    .heads = f.heads,
                                    .d = f.d,
                                    .qkv = f.qkv,
                                    .out = f.out,
                                    .saved = f.saved,
                                    .d_out = memory.uniform<T>(out),
                                    .d_qkv = memory.poisoned<T>(3 * out)}};
      },
      [ops = s.ops](const Context& c, const Tensors& t) {
        ops->attention_forward(c, t.forward);  // leaves what backward needs
        return Running{
            .run = [ops, a = t.backward, &c] { ops->attention_backward(c, a); },
            .check = [a = t.backward](HostView& host) { return check_backward(host, a); }};
      });
}

}  // namespace

template <class T>
void add_attention_cases(const OpSetting<T>& s, CaseList& all) {
  for (const Size& size : s.product_sizes()) {
    all.push_back(forward(s, size.cold));
    all.push_back(backward(s, size.cold));
  }
}

template void add_attention_cases(const OpSetting<float>&, CaseList&);
template void add_attention_cases(const OpSetting<bfloat16>&, CaseList&);

}  // namespace bench::kernel_cases
