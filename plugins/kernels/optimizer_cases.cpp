// What follows the backward pass: the gradient norm and AdamW, over the parameters of one layer.
#include <cmath>

#include "kernels/adamw/op.h"
#include "kernels/elementwise/op.h"
#include "plugins/kernels/op_case.h"

namespace bench::kernel_cases {
namespace {
using namespace kernels;

int64_t layer_parameters(const Setting& s) { return 12 * s.h * s.h + 13 * s.h; }

sdk::Case adamw(const Setting& s) {
  const int64_t size = layer_parameters(s);
  return op_case(
      "gpt2.adamw", s, 0, 7.0 * static_cast<double>(size), {{"size", static_cast<double>(size)}},
      [size, s](const Context& c, const auto& memory) {
        const AdamW<float> a{.size = size,
                             .lr = 1e-4,
                             .beta1 = 0.9,
                             .beta2 = 0.999,
                             .eps = 1e-8,
                             .weight_decay = 0.01,
                             .clip = 1.0,
                             .step = 10,
                             .g = memory->uniform(size),
                             .w = memory->uniform(size),
                             .m = memory->filled(size, 0),
                             .v = memory->filled(size, 0)};
        // The state moves on with every iteration: the check compares one more with the oracle's.
        const auto check = [a, s, &c] {
          std::vector<float> w(a.w, a.w + a.size), m(a.m, a.m + a.size), v(a.v, a.v + a.size);
          AdamW<float> b = a;
          b.w = w.data(), b.m = m.data(), b.v = v.data();
          reference_adamw(b);
          s.ops->adamw(c, a);
          const double error =
              worse(relative_error({a.w, w.size()}, w),
                    worse(relative_error({a.m, m.size()}, m), relative_error({a.v, v.size()}, v)));
          return judged(error, kElementTolerance<float>, "w, m, v");
        };
        return Running{.run = [a, s, &c] { s.ops->adamw(c, a); }, .check = check};
      });
}

sdk::Case sum_of_squares(const Setting& s) {
  const int64_t size = layer_parameters(s);
  return op_case(
      "gpt2.grad_norm", s, 0, static_cast<double>(size), {{"size", static_cast<double>(size)}},
      [size, s](const Context& c, const auto& memory) {
        const SumOfSquares<float> a{
            .size = size, .x = memory->uniform(size), .result = memory->doubles(1)};
        const auto check = [a, s, &c] {
          double expected = 0;
          reference_sum_of_squares<float>({.size = a.size, .x = a.x, .result = &expected});
          *a.result = 0;
          s.ops->sum_of_squares(c, a);
          return judged(std::abs(*a.result - expected) / expected, sum_of_squares_tolerance(a.size),
                        "the sum");
        };
        return Running{.run = [a, s, &c] { s.ops->sum_of_squares(c, a); }, .check = check};
      });
}

}  // namespace

void add_optimizer_cases(const Setting& s, std::vector<sdk::Case>& all) {
  all.push_back(sum_of_squares(s));
  all.push_back(adamw(s));
}

}  // namespace bench::kernel_cases
