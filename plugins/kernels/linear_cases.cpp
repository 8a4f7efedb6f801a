// The linear layers of a GPT-2 model: forward, input gradient, weight gradient.
#include "kernels/linear/op.h"
#include "kernels/linear/prepared.h"
#include "plugins/kernels/op_case.h"

namespace bench::kernel_cases {
namespace {
using namespace kernels;

// Rows (weight gradient: output features) that a check computes again, spread over all.
constexpr int64_t kCheckedRows = 3;

struct Layer {
  std::string name;
  int64_t n, in, out;
  bool bias;
  double per_step;
};

// The forms that the variant makes of a weight are kept from iteration to iteration, as a step
// keeps them from one update to the next.
template <class T>
std::shared_ptr<PreparedWeights> prepare(Memory& memory, const Layer& l, const Ops<T>& ops) {
  memory.count(ops.linear_prepared_bytes(l.n, l.in, l.out) / 2);  // one of the two passes
  return std::make_shared<PreparedWeights>();
}

// `weight_bytes`: of an element of the weight or of its gradient.
template <class T>
OpWork work(const OpSetting<T>& s, const Layer& l, const char* pass, size_t weight_bytes,
            bool cold) {
  const auto d = [](int64_t x) { return static_cast<double>(x); };
  return {.name = l.name + pass,
          .op = "linear",
          .extents = {{"m", d(l.n)}, {"n", d(l.out)}, {"k", d(l.in)}},
          .flops = 2 * d(l.n) * d(l.in) * d(l.out),
          .bytes = d(l.n * (l.in + l.out)) * sizeof(T) +
                   d(l.in * l.out) * static_cast<double>(weight_bytes),
          .pattern = {},
          .arithmetic = std::string(s.ops->linear_arithmetic()),
          .per_step = l.per_step,
          .cold = cold,
          .flank = {},
          .shape = {.n = l.n, .in = l.in, .out = l.out}};
}

template <class T>
sdk::Check check_forward(HostView& host, const LinearForward<T>& a) {
  std::vector<T> expected(static_cast<size_t>(a.out));
  double error = 0;
  for (const int64_t r : spread(kCheckedRows, a.n)) {
    LinearForward<T> row = a;
    row.n = 1, row.x += r * a.in, row.y += r * a.out;
    row = host.arguments(row);
    const T* const got = std::exchange(row.y, expected.data());
    reference_linear_forward(row);
    error = worse(error, relative_error(got, expected));
  }
  return judged(error, linear_tolerance<T>(a.in), "three rows of y");
}

template <class T>
sdk::Case forward(const Layer& l, const OpSetting<T>& s, bool cold) {
  struct Tensors {
    LinearForward<T> args;
    std::shared_ptr<PreparedWeights> prepared;
  };
  return op_case<Tensors>(
      s, work<T>(s, l, ".fwd", sizeof(T), cold),
      [l, ops = s.ops](Memory& memory) {
        const auto prepared = prepare(memory, l, *ops);
        return Tensors{.args = {.n = l.n,
                                .in = l.in,
                                .out = l.out,
                                .x = memory.uniform<T>(l.n * l.in),
                                .w = memory.uniform<T>(l.in * l.out),
                                .bias = l.bias ? memory.uniform<T>(l.out) : nullptr,
                                .y = memory.poisoned<T>(l.n * l.out),
                                .prepared = prepared.get()},
                       .prepared = prepared};
      },
      [ops = s.ops](const Context& c, const Tensors& t) {
        return Running{.run = [t, ops, &c] { ops->linear_forward(c, t.args); },
                       .check = [t](HostView& host) { return check_forward(host, t.args); }};
      });
}

template <class T>
sdk::Check check_input_grad(HostView& host, const LinearInputGrad<T>& a) {
  std::vector<T> expected(static_cast<size_t>(a.in));
  double error = 0;
  for (const int64_t r : spread(kCheckedRows, a.n)) {
    LinearInputGrad<T> row = a;
    row.n = 1, row.dy += r * a.out, row.dx += r * a.in;
    row = host.arguments(row);
    const T* const got = std::exchange(row.dx, expected.data());
    reference_linear_input_grad(row);
    error = worse(error, relative_error(got, expected));
  }
  return judged(error, linear_tolerance<T>(a.out), "three rows of dx");
}

template <class T>
sdk::Case input_grad(const Layer& l, const OpSetting<T>& s, bool cold) {
  struct Tensors {
    LinearInputGrad<T> args;
    std::shared_ptr<PreparedWeights> prepared;
  };
  return op_case<Tensors>(
      s, work<T>(s, l, ".dgrad", sizeof(T), cold),
      [l, ops = s.ops](Memory& memory) {
        const auto prepared = prepare(memory, l, *ops);
        return Tensors{.args = {.n = l.n,
                                .in = l.in,
                                .out = l.out,
                                .dy = memory.uniform<T>(l.n * l.out),
                                .w = memory.uniform<T>(l.in * l.out),
                                .dx = memory.poisoned<T>(l.n * l.in),
                                .prepared = prepared.get()},
                       .prepared = prepared};
      },
      [ops = s.ops](const Context& c, const Tensors& t) {
        return Running{.run = [t, ops, &c] { ops->linear_input_grad(c, t.args); },
                       .check = [t](HostView& host) { return check_input_grad(host, t.args); }};
      });
}

template <class T>
sdk::Check check_weight_grad(HostView& host, const LinearWeightGrad<T>& a,
                             std::string_view arithmetic) {
  std::vector<Wide<T>> expected(static_cast<size_t>(a.in));
  double error = 0;
  for (const int64_t o : spread(kCheckedRows, a.out)) {
    const std::vector<T> dy = host.column(a.dy, a.n, a.out, o);
    Wide<T> bias = 0;
    LinearWeightGrad<T> one = a;
    one.out = 1, one.dy = dy.data(), one.dw = expected.data(), one.d_bias = &bias;
    one.x = host.of(a.x, a.n * a.in);
    reference_linear_weight_grad(one);
    error = worse(error, relative_error(host.of(a.dw + o * a.in, a.in), expected));
    // A sum of n values in [-1, 1] is of this size; one alone may happen to be near zero.
    const double size = std::sqrt(static_cast<double>(a.n));
    if (a.d_bias != nullptr) error = worse(error, std::abs(host.value(a.d_bias + o) - bias) / size);
  }
  return judged(error, weight_grad_tolerance<T>(a.n, arithmetic), "three rows of dw");
}

template <class T>
sdk::Case weight_grad(const Layer& l, const OpSetting<T>& s, bool cold) {
  using Tensors = LinearWeightGrad<T>;
  return op_case<Tensors>(
      s, work<T>(s, l, ".wgrad", sizeof(Wide<T>), cold),
      [l](Memory& memory) {
        return Tensors{.n = l.n,
                       .in = l.in,
                       .out = l.out,
                       .accumulate = false,
                       .dy = memory.uniform<T>(l.n * l.out),
                       .x = memory.uniform<T>(l.n * l.in),
                       .dw = memory.poisoned<Wide<T>>(l.in * l.out),
                       .d_bias = l.bias ? memory.poisoned<Wide<T>>(l.out) : nullptr};
      },
      [ops = s.ops](const Context& c, const Tensors& a) {
        return Running{.run = [a, ops, &c] { ops->linear_weight_grad(c, a); },
                       .check =
                           [a, ops](HostView& host) {
                             return check_weight_grad(host, a, ops->linear_arithmetic());
                           }};
      });
}

// The model's layers; with an axis n (outputs) or k (inputs), one layer of those sizes.
std::vector<Layer> layers_of(const Setting& s) {
  const int64_t n = s.n(), h = s.h;
  if (s.axes.contains("n") || s.axes.contains("k"))
    return {{"gpt2.linear", n, s.axis("k", h), s.axis("n", h), true, 0}};
  const auto layers = static_cast<double>(s.layers);
  return {{"gpt2.layer.attn.qkv", n, h, 3 * h, true, layers},
          {"gpt2.layer.attn.proj", n, h, h, true, layers},
          {"gpt2.layer.mlp.fc1", n, h, 4 * h, true, layers},
          {"gpt2.layer.mlp.fc2", n, 4 * h, h, true, layers},
          {"gpt2.head", n, h, s.padded_vocab, false, 1}};
}

}  // namespace

template <class T>
void add_linear_cases(const OpSetting<T>& s, CaseList& all) {
  for (const Layer& layer : layers_of(s)) {
    for (const Size& size : s.product_sizes()) {
      all.push_back(forward(layer, s, size.cold));
      all.push_back(input_grad(layer, s, size.cold));
      all.push_back(weight_grad(layer, s, size.cold));
    }
  }
}

template void add_linear_cases(const OpSetting<float>&, CaseList&);
template void add_linear_cases(const OpSetting<bfloat16>&, CaseList&);

}  // namespace bench::kernel_cases
