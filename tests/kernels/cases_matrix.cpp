// linear, attention.
#include <fmt/format.h>

#include "kernels/attention/op.h"
#include "kernels/linear/op.h"
#include "kernels/linear/prepared.h"
#include "tests/kernels/cases.h"
#include "tests/kernels/support.h"

namespace bench::kernels::test {
namespace {

struct LinearShape {
  int64_t n, in, out;
};
// Under, at and past the panels and blocks of every variant (6 and 192 rows, 256 and 1280 deep,
// 1536 and 3072 columns).
constexpr LinearShape kLinears[] = {{1, 1, 1},      {3, 17, 5},     {17, 3, 127},
                                    {127, 129, 65}, {64, 1023, 3},  {130, 64, 257},
                                    {12, 256, 32},  {389, 257, 16}, {2, 1300, 3100}};

struct AttentionShape {
  int64_t batch, seq, heads, d;
};
// Around the tiles of every variant (6, 96, 128 and 192 positions, vectors of 4 to 16 elements):
// under, one, one and a bit, more than two.
constexpr AttentionShape kAttentions[] = {
    {1, 1, 1, 1},    {2, 3, 1, 17},   {1, 17, 3, 5},  {2, 128, 2, 8}, {1, 129, 1, 64},
    {1, 300, 2, 16}, {1, 127, 1, 3},  {1, 97, 2, 80}, {3, 6, 1, 128}, {1, 192, 1, 1},
    {1, 257, 1, 65}, {2, 200, 1, 96}, {1, 1001, 1, 3}};

void set_shape(Cases& cases, size_t first, const OpShape& shape) {
  for (size_t i = first; i < cases.size(); ++i) cases[i].shape = shape;
}

// The call twice with one prepared weight, so that the second takes what the first has made.
template <class Args, class Make>
OpCase prepared_case(const std::string& name, double tolerance, std::vector<Output> outputs,
                     OpFunction<Args> kernel, void (*reference)(const Args&), Make make) {
  OpCase made =
      make_case<Args>(name + " prepared", tolerance, std::move(outputs), kernel, reference, make);
  made.kernel = [=](Site& site, const Addresses& out) {
    PreparedWeights prepared;
    Args a = make(out);
    a.prepared = &prepared;
    site.call(kernel, a);
    site.call(kernel, a);
  };
  return made;
}

// With GELU in the product's place.
template <class T>
void add_linear_gelu(Cases& cases, const Ops<T>& ops, LinearShape s, bool bias) {
  const auto x = random_values<T>(s.n * s.in, 10), w = random_values<T>(s.out * s.in, 11);
  const auto values = random_values<T>(s.out, 12), dy = random_values<T>(s.n * s.out, 13);
  const auto name = fmt::format("{} x {} to {} gelu bias {}", s.n, s.in, s.out, bias);
  cases.push_back(make_case<LinearForward<T>>(
      "forward " + name, linear_gelu_tolerance<T>(s.in),
      {written<T>(s.n * s.out, linear_tolerance<T>(s.in)), written<T>(s.n * s.out)},
      ops.linear_forward, reference_linear_forward<T>, [=](const Addresses& out) {
        return LinearForward<T>{.n = s.n,
                                .in = s.in,
                                .out = s.out,
                                .x = x.data(),
                                .w = w.data(),
                                .bias = bias ? values.data() : nullptr,
                                .y = out[0],
                                .gelu = out[1]};
      }));
  if (bias) return;  // the gradient has none
  const auto before = random_values<T>(s.n * s.in, 14);
  cases.push_back(make_case<LinearInputGrad<T>>(
      "input grad " + name, linear_gelu_tolerance<T>(s.out), {written<T>(s.n * s.in)},
      ops.linear_input_grad, reference_linear_input_grad<T>, [=](const Addresses& out) {
        return LinearInputGrad<T>{.n = s.n,
                                  .in = s.in,
                                  .out = s.out,
                                  .dy = dy.data(),
                                  .w = w.data(),
                                  .dx = out[0],
                                  .gelu_of = before.data()};
      }));
}

template <class T>
void add_linear_grads(Cases& cases, const Ops<T>& ops, LinearShape s) {
  const auto dy = random_values<T>(s.n * s.out, 1), x = random_values<T>(s.n * s.in, 2);
  const auto w = random_values<T>(s.out * s.in, 3);
  const auto name = fmt::format("{} x {} to {}", s.n, s.in, s.out);
  const auto input_grad = [=](const Addresses& out) {
    return LinearInputGrad<T>{
        .n = s.n, .in = s.in, .out = s.out, .dy = dy.data(), .w = w.data(), .dx = out[0]};
  };
  cases.push_back(make_case<LinearInputGrad<T>>("input grad " + name, linear_tolerance<T>(s.out),
                                                {written<T>(s.n * s.in)}, ops.linear_input_grad,
                                                reference_linear_input_grad<T>, input_grad));
  cases.push_back(prepared_case<LinearInputGrad<T>>(
      "input grad " + name, linear_tolerance<T>(s.out), {written<T>(s.n * s.in)},
      ops.linear_input_grad, reference_linear_input_grad<T>, input_grad));
  if (s.in * s.out > 1 << 20) return;  // large for the blocks of the other two
  for (const bool accumulate : {false, true}) {
    for (const bool bias : {false, true}) {
      using W = Wide<T>;
      std::vector<Output> outputs{written<W>(s.out * s.in)};
      if (bias) outputs.push_back(written<W>(s.out));
      for (auto& o : outputs) {
        if (accumulate) o = changed(random_values<W>(o.size, 4));
      }
      cases.push_back(make_case<LinearWeightGrad<T>>(
          fmt::format("weight grad {} accumulate {} bias {}", name, accumulate, bias),
          linear_tolerance<W>(s.n), outputs, ops.linear_weight_grad,
          reference_linear_weight_grad<T>, [=](const Addresses& out) {
            return LinearWeightGrad<T>{.n = s.n,
                                       .in = s.in,
                                       .out = s.out,
                                       .accumulate = accumulate,
                                       .dy = dy.data(),
                                       .x = x.data(),
                                       .dw = out[0],
                                       .d_bias = bias ? static_cast<Wide<T>*>(out[1]) : nullptr};
          }));
    }
  }
}

// Both passes, since what the backward needs is known to the variant alone.
template <class T>
OpCase attention_backward_case(const Ops<T>& ops, AttentionShape s) {
  const int64_t size = s.batch * s.seq * s.heads * s.d;
  const int64_t saved = ops.attention_saved_bytes(s.batch, s.seq, s.heads, s.d);
  const auto qkv = random_values<T>(3 * size, 5), d_out = random_values<T>(size, 6);
  const auto forward = [=](const Addresses& to) {
    return AttentionForward<T>{.batch = s.batch,
                               .seq = s.seq,
                               .heads = s.heads,
                               .d = s.d,
                               .qkv = qkv.data(),
                               .out = to[0],
                               .saved = to[1]};
  };
  const auto backward = [=](const Addresses& to) {
    return AttentionBackward<T>{.batch = s.batch,
                                .seq = s.seq,
                                .heads = s.heads,
                                .d = s.d,
                                .qkv = qkv.data(),
                                .out = to[0],
                                .saved = to[1],
                                .d_out = d_out.data(),
                                .d_qkv = to[2]};
  };
  return {.name = fmt::format("backward {} x {} x {} x {}", s.batch, s.seq, s.heads, s.d),
          .tolerance = attention_tolerance<T>(s.seq, s.d),
          .outputs = {written<T>(size), opaque(saved), written<T>(3 * size)},
          .kernel =
              [=, forward_op = ops.attention_forward, backward_op = ops.attention_backward](
                  Site& site, const Addresses& to) {
                site.call(forward_op, forward(to));
                site.call(backward_op, backward(to));
              },
          .reference =
              [=](const Addresses& to) {
                reference_attention_forward(forward(to));
                reference_attention_backward(backward(to));
              },
          .shape = {}};
}

}  // namespace

template <class T>
Cases linear_cases(const Ops<T>& ops) {
  Cases cases;
  for (const auto& s : kLinears) {
    const size_t first = cases.size();
    const auto x = random_values<T>(s.n * s.in, 7), w = random_values<T>(s.out * s.in, 8);
    const auto values = random_values<T>(s.out, 9);
    for (const bool bias : {false, true}) {
      const auto name = fmt::format("forward {} x {} to {} bias {}", s.n, s.in, s.out, bias);
      const auto forward = [=](const Addresses& out) {
        return LinearForward<T>{.n = s.n,
                                .in = s.in,
                                .out = s.out,
                                .x = x.data(),
                                .w = w.data(),
                                .bias = bias ? values.data() : nullptr,
                                .y = out[0]};
      };
      cases.push_back(make_case<LinearForward<T>>(name, linear_tolerance<T>(s.in),
                                                  {written<T>(s.n * s.out)}, ops.linear_forward,
                                                  reference_linear_forward<T>, forward));
      cases.push_back(prepared_case<LinearForward<T>>(name, linear_tolerance<T>(s.in),
                                                      {written<T>(s.n * s.out)}, ops.linear_forward,
                                                      reference_linear_forward<T>, forward));
      if (ops.linear_fuses_gelu) add_linear_gelu(cases, ops, s, bias);
    }
    add_linear_grads(cases, ops, s);
    set_shape(cases, first, {.n = s.n, .in = s.in, .out = s.out});
  }
  return cases;
}

template <class T>
Cases attention_cases(const Ops<T>& ops) {
  Cases cases;
  for (const auto& s : kAttentions) {
    const size_t first = cases.size();
    const int64_t size = s.batch * s.seq * s.heads * s.d;
    const int64_t saved = ops.attention_saved_bytes(s.batch, s.seq, s.heads, s.d);
    const auto qkv = random_values<T>(3 * size, 10);
    cases.push_back(make_case<AttentionForward<T>>(
        fmt::format("forward {} x {} x {} x {}", s.batch, s.seq, s.heads, s.d),
        attention_tolerance<T>(s.seq, s.d), {written<T>(size), opaque(saved)},
        ops.attention_forward, reference_attention_forward<T>, [=](const Addresses& out) {
          return AttentionForward<T>{.batch = s.batch,
                                     .seq = s.seq,
                                     .heads = s.heads,
                                     .d = s.d,
                                     .qkv = qkv.data(),
                                     .out = out[0],
                                     .saved = out[1]};
        }));
    cases.push_back(attention_backward_case(ops, s));
    set_shape(cases, first, {.batch = s.batch, .seq = s.seq, .heads = s.heads, .d = s.d});
  }
  return cases;
}

template Cases linear_cases(const Ops<float>&);
template Cases linear_cases(const Ops<double>&);
template Cases linear_cases(const Ops<bfloat16>&);
template Cases attention_cases(const Ops<float>&);
template Cases attention_cases(const Ops<double>&);
template Cases attention_cases(const Ops<bfloat16>&);

}  // namespace bench::kernels::test
