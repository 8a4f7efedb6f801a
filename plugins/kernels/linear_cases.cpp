// The linear layers of a GPT-2 model: forward, input gradient, weight gradient.
#include <cmath>

#include "kernels/linear/op.h"
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
  double gemm_flops() const {
    return 2.0 * static_cast<double>(n) * static_cast<double>(in) * static_cast<double>(out);
  }
  double elements() const { return static_cast<double>(n * in + in * out + n * out); }
  std::vector<std::pair<std::string, double>> params() const {
    return {{"n", static_cast<double>(n)},
            {"in", static_cast<double>(in)},
            {"out", static_cast<double>(out)}};
  }
};

int64_t checked_row(int64_t k, int64_t rows) {
  return rows <= 1 ? 0 : k * (rows - 1) / (kCheckedRows - 1);
}

sdk::Case forward(const Layer& l, const Setting& s) {
  return op_case(
      l.name + ".fwd", s, l.gemm_flops(), l.elements(), l.params(),
      [l, ops = s.ops](const Context& c, const auto& memory) {
        const LinearForward<float> a{.n = l.n,
                                     .in = l.in,
                                     .out = l.out,
                                     .x = memory->uniform(l.n * l.in),
                                     .w = memory->uniform(l.in * l.out),
                                     .bias = l.bias ? memory->uniform(l.out) : nullptr,
                                     .y = memory->filled(l.n * l.out, NAN)};
        const auto check = [a] {
          std::vector<float> expected(static_cast<size_t>(a.out));
          double error = 0;
          for (int64_t k = 0; k < kCheckedRows; ++k) {
            const int64_t r = checked_row(k, a.n);
            reference_linear_forward<float>({.n = 1,
                                             .in = a.in,
                                             .out = a.out,
                                             .x = a.x + r * a.in,
                                             .w = a.w,
                                             .bias = a.bias,
                                             .y = expected.data()});
            error = worse(error, relative_error({a.y + r * a.out, expected.size()}, expected));
          }
          return judged(error, linear_tolerance<float>(a.in), "three rows of y");
        };
        return Running{.run = [a, ops, &c] { ops->linear_forward(c, a); }, .check = check};
      });
}

sdk::Case input_grad(const Layer& l, const Setting& s) {
  return op_case(
      l.name + ".dgrad", s, l.gemm_flops(), l.elements(), l.params(),
      [l, ops = s.ops](const Context& c, const auto& memory) {
        const LinearInputGrad<float> a{.n = l.n,
                                       .in = l.in,
                                       .out = l.out,
                                       .dy = memory->uniform(l.n * l.out),
                                       .w = memory->uniform(l.in * l.out),
                                       .dx = memory->filled(l.n * l.in, NAN)};
        const auto check = [a] {
          std::vector<float> expected(static_cast<size_t>(a.in));
          double error = 0;
          for (int64_t k = 0; k < kCheckedRows; ++k) {
            const int64_t r = checked_row(k, a.n);
            reference_linear_input_grad<float>({.n = 1,
                                                .in = a.in,
                                                .out = a.out,
                                                .dy = a.dy + r * a.out,
                                                .w = a.w,
                                                .dx = expected.data()});
            error = worse(error, relative_error({a.dx + r * a.in, expected.size()}, expected));
          }
          return judged(error, linear_tolerance<float>(a.out), "three rows of dx");
        };
        return Running{.run = [a, ops, &c] { ops->linear_input_grad(c, a); }, .check = check};
      });
}

sdk::Case weight_grad(const Layer& l, const Setting& s) {
  return op_case(
      l.name + ".wgrad", s, l.gemm_flops(), l.elements(), l.params(),
      [l, ops = s.ops](const Context& c, const auto& memory) {
        const LinearWeightGrad<float> a{.n = l.n,
                                        .in = l.in,
                                        .out = l.out,
                                        .accumulate = false,
                                        .dy = memory->uniform(l.n * l.out),
                                        .x = memory->uniform(l.n * l.in),
                                        .dw = memory->filled(l.in * l.out, NAN),
                                        .d_bias = l.bias ? memory->filled(l.out, NAN) : nullptr};
        const auto check = [a] {
          std::vector<float> column(static_cast<size_t>(a.n)), expected(static_cast<size_t>(a.in));
          double error = 0;
          for (int64_t k = 0; k < kCheckedRows; ++k) {
            const int64_t o = checked_row(k, a.out);
            for (int64_t r = 0; r < a.n; ++r) column[static_cast<size_t>(r)] = a.dy[r * a.out + o];
            float bias = 0;
            reference_linear_weight_grad<float>({.n = a.n,
                                                 .in = a.in,
                                                 .out = 1,
                                                 .accumulate = false,
                                                 .dy = column.data(),
                                                 .x = a.x,
                                                 .dw = expected.data(),
                                                 .d_bias = &bias});
            error = worse(error, relative_error({a.dw + o * a.in, expected.size()}, expected));
            // A sum of n values in [-1, 1] is of this size; one alone may happen to be near zero.
            const double size = std::sqrt(static_cast<double>(a.n));
            if (a.d_bias != nullptr) error = worse(error, std::abs(a.d_bias[o] - bias) / size);
          }
          return judged(error, linear_tolerance<float>(a.n), "three rows of dw");
        };
        return Running{.run = [a, ops, &c] { ops->linear_weight_grad(c, a); }, .check = check};
      });
}

}  // namespace

void add_linear_cases(const Setting& s, std::vector<sdk::Case>& all) {
  const int64_t n = s.n(), h = s.h;
  for (const Layer& layer : {Layer{"gpt2.layer.attn.qkv", n, h, 3 * h, true},
                             Layer{"gpt2.layer.attn.proj", n, h, h, false},
                             Layer{"gpt2.layer.mlp.fc1", n, h, 4 * h, true},
                             Layer{"gpt2.layer.mlp.fc2", n, 4 * h, h, false},
                             Layer{"gpt2.head", n, h, s.padded_vocab, false}}) {
    all.push_back(forward(layer, s));
    all.push_back(input_grad(layer, s));
    all.push_back(weight_grad(layer, s));
  }
}

}  // namespace bench::kernel_cases
