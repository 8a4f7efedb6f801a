// Causal self-attention, forward and backward. One head of one sequence is checked.
#include <algorithm>
#include <cmath>

#include "kernels/attention/op.h"
#include "plugins/kernels/op_case.h"

namespace bench::kernel_cases {
namespace {
using namespace kernels;

// One head of the first sequence out of rows of `heads` heads with `parts` vectors of d each.
std::vector<float> take_head(const float* rows, int64_t seq, int64_t heads, int64_t head,
                             int64_t width) {
  std::vector<float> taken(static_cast<size_t>(seq * width));
  for (int64_t r = 0; r < seq; ++r)
    std::copy_n(rows + (r * heads + head) * width, width, taken.begin() + r * width);
  return taken;
}

int64_t saved_elements(const Setting& s) {
  const int64_t bytes = s.ops->attention_saved_bytes(s.batch, s.seq, s.heads, s.d);
  return (bytes + 3) / static_cast<int64_t>(sizeof(float));
}

struct Tensors {
  AttentionForward<float> forward;
  AttentionBackward<float> backward;
};

Tensors allocate(const Setting& s, Memory& memory) {
  const int64_t out = s.n() * s.h;
  Tensors t{};
  t.forward = {.batch = s.batch,
               .seq = s.seq,
               .heads = s.heads,
               .d = s.d,
               .qkv = memory.uniform(3 * out),
               .out = memory.filled(out, NAN),
               .saved = memory.filled(saved_elements(s), NAN)};
  t.backward = {.batch = s.batch,
                .seq = s.seq,
                .heads = s.heads,
                .d = s.d,
                .qkv = t.forward.qkv,
                .out = t.forward.out,
                .saved = t.forward.saved,
                .d_out = memory.uniform(out),
                .d_qkv = memory.filled(3 * out, NAN)};
  return t;
}

sdk::Check check_forward(const AttentionForward<float>& a) {
  const int64_t head = a.heads - 1;
  const std::vector<float> qkv = take_head(a.qkv, a.seq, a.heads, head, 3 * a.d);
  std::vector<float> expected(static_cast<size_t>(a.seq * a.d));
  reference_attention_forward<float>({.batch = 1,
                                      .seq = a.seq,
                                      .heads = 1,
                                      .d = a.d,
                                      .qkv = qkv.data(),
                                      .out = expected.data(),
                                      .saved = nullptr});
  return judged(relative_error(take_head(a.out, a.seq, a.heads, head, a.d), expected),
                attention_tolerance<float>(a.seq, a.d), "one head of out");
}

sdk::Check check_backward(const AttentionBackward<float>& a) {
  const int64_t head = a.heads - 1;
  const std::vector<float> qkv = take_head(a.qkv, a.seq, a.heads, head, 3 * a.d);
  const std::vector<float> d_out = take_head(a.d_out, a.seq, a.heads, head, a.d);
  std::vector<float> expected(static_cast<size_t>(a.seq * 3 * a.d));
  reference_attention_backward<float>({.batch = 1,
                                       .seq = a.seq,
                                       .heads = 1,
                                       .d = a.d,
                                       .qkv = qkv.data(),
                                       .out = nullptr,
                                       .saved = nullptr,
                                       .d_out = d_out.data(),
                                       .d_qkv = expected.data()});
  return judged(relative_error(take_head(a.d_qkv, a.seq, a.heads, head, 3 * a.d), expected),
                attention_tolerance<float>(a.seq, a.d), "one head of d_qkv");
}

}  // namespace

void add_attention_cases(const Setting& s, std::vector<sdk::Case>& all) {
  const double out = static_cast<double>(s.n()) * static_cast<double>(s.h);
  // Two products over the half of the square on and below the diagonal.
  const double flops = 2.0 * static_cast<double>(s.seq + 1) * out;
  const double saved = static_cast<double>(saved_elements(s));
  const std::vector<std::pair<std::string, double>> params = {
      {"batch", static_cast<double>(s.batch)},
      {"seq", static_cast<double>(s.seq)},
      {"heads", static_cast<double>(s.heads)},
      {"d", static_cast<double>(s.d)}};
  all.push_back(op_case("gpt2.layer.attention.fwd", s, flops, 4 * out + saved, params,
                        [s](const Context& c, const auto& memory) {
                          const Tensors t = allocate(s, *memory);
                          return Running{
                              .run = [t, s, &c] { s.ops->attention_forward(c, t.forward); },
                              .check = [t] { return check_forward(t.forward); }};
                        }));
  all.push_back(op_case("gpt2.layer.attention.bwd", s, 2.5 * flops, 8 * out + saved, params,
                        [s](const Context& c, const auto& memory) {
                          const Tensors t = allocate(s, *memory);
                          s.ops->attention_forward(c, t.forward);  // leaves what backward needs
                          return Running{
                              .run = [t, s, &c] { s.ops->attention_backward(c, t.backward); },
                              .check = [t] { return check_backward(t.backward); }};
                        }));
}

}  // namespace bench::kernel_cases
