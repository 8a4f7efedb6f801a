// What follows the backward pass: the gradient norm and AdamW, over the parameters of one layer.
#include <algorithm>
#include <cmath>

#include "kernels/adamw/op.h"
#include "kernels/elementwise/op.h"
#include "plugins/kernels/op_case.h"

namespace bench::kernel_cases {
namespace {
using namespace kernels;

int64_t layer_parameters(const Setting& s) { return 12 * s.h * s.h + 13 * s.h; }

// Some parameters, spread over all, whose steps the oracle takes as well: w, m and v move on with
// every iteration.
class Followed {
 public:
  explicit Followed(const AdamW<float>& a) {
    const int64_t count = std::min<int64_t>(a.size, kCount);
    for (int64_t k = 0; k < count; ++k)
      places_.push_back(count == 1 ? 0 : k * (a.size - 1) / (count - 1));
    g_ = at_places(a.g), w_ = at_places(a.w), m_ = at_places(a.m), v_ = at_places(a.v);
  }

  sdk::Check check(const AdamW<float>& a, int64_t times) {
    AdamW<float> step = a;
    step.size = static_cast<int64_t>(places_.size());
    step.g = g_.data(), step.w = w_.data(), step.m = m_.data(), step.v = v_.data();
    for (; steps_ < times; ++steps_) reference_adamw(step);
    const double error =
        worse(relative_error(at_places(a.w), w_),
              worse(relative_error(at_places(a.m), m_), relative_error(at_places(a.v), v_)));
    // Roundings of the steps are independent: a random walk.
    const double tolerance = kAdamwTolerance<float> * (1 + std::sqrt(static_cast<double>(times)));
    return judged(error, tolerance, "w, m, v of 64 parameters");
  }

 private:
  static constexpr int64_t kCount = 64;
  std::vector<float> at_places(const float* data) const {
    std::vector<float> values;
    for (const int64_t i : places_) values.push_back(data[i]);
    return values;
  }

  std::vector<int64_t> places_;
  std::vector<float> g_, w_, m_, v_;
  int64_t steps_ = 0;
};

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
        const auto times = std::make_shared<int64_t>(0);
        const auto followed = std::make_shared<Followed>(a);
        const auto check = [a, times, followed] { return followed->check(a, *times); };
        return Running{.run = [a, s, times, &c] { s.ops->adamw(c, a), ++*times; }, .check = check};
      });
}

sdk::Case sum_of_squares(const Setting& s) {
  const int64_t size = layer_parameters(s);
  return op_case(
      "gpt2.grad_norm", s, 0, static_cast<double>(size), {{"size", static_cast<double>(size)}},
      [size, s](const Context& c, const auto& memory) {
        const SumOfSquares<float> a{
            .size = size, .x = memory->uniform(size), .result = memory->doubles(1)};
        // Every iteration adds to the result.
        const auto times = std::make_shared<int64_t>(0);
        const auto check = [a, times] {
          double expected = 0;
          reference_sum_of_squares<float>({.size = a.size, .x = a.x, .result = &expected});
          expected *= static_cast<double>(*times);
          return judged(
              std::abs(*a.result - expected) / expected,
              sum_of_squares_tolerance(a.size) + static_cast<double>(*times) * kRounding<double>,
              "the sum");
        };
        return Running{.run = [a, s, times, &c] { s.ops->sum_of_squares(c, a), ++*times; },
                       .check = check};
      });
}

}  // namespace

void add_optimizer_cases(const Setting& s, std::vector<sdk::Case>& all) {
  all.push_back(sum_of_squares(s));
  all.push_back(adamw(s));
}

}  // namespace bench::kernel_cases
