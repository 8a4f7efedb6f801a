// What follows the backward pass: the gradient norm and AdamW, over the parameters of one layer.
#include "kernels/adamw/op.h"
#include "kernels/elementwise/op.h"
#include "plugins/kernels/op_case.h"

namespace bench::kernel_cases {
namespace {
using namespace kernels;

int64_t layer_parameters(const Setting& s) { return 12 * s.h * s.h + 13 * s.h; }

// Some parameters, spread over all, whose steps the oracle takes as well: w, m and v move on with
// every iteration.
template <class T>
class Followed {
 public:
  Followed(HostView&& host, const AdamW<T>& a) : places_(spread(64, a.size)) {
    g_ = host.elements(a.g, places_), w_ = host.elements(a.w, places_);
    m_ = host.elements(a.m, places_), v_ = host.elements(a.v, places_);
    copy_.resize(places_.size());
  }

  sdk::Check check(HostView& host, const AdamW<T>& a, int64_t times) {
    AdamW<T> step = a;
    step.size = static_cast<int64_t>(places_.size());
    step.g = g_.data(), step.w = w_.data(), step.m = m_.data(), step.v = v_.data();
    step.copy = copy_.data();
    for (; steps_ < times; ++steps_) reference_adamw(step);
    const auto off = [&](const auto& data, const auto& expected) {
      return relative_error(host.elements(data, places_).data(), expected);
    };
    const double error = worse(off(a.w, w_), worse(off(a.m, m_), off(a.v, v_)));
    // Roundings of the steps are independent: a random walk.
    const double walk = 1 + std::sqrt(static_cast<double>(times));
    const sdk::Check wide =
        judged(error, kAdamwTolerance<Wide<T>> * walk, "w, m, v of 64 parameters");
    if (!wide.passed || a.copy == nullptr) return wide;
    return judged(off(a.copy, copy_), kStoring<T> + kAdamwTolerance<Wide<T>> * walk,
                  "the rounded copy of 64 parameters");
  }

 private:
  std::vector<int64_t> places_;
  std::vector<Wide<T>> g_, w_, m_, v_;
  std::vector<T> copy_;
  int64_t steps_ = 0;
};

template <class T>
sdk::Case adamw(const OpSetting<T>& s, Size size) {
  constexpr bool kCopies = !std::is_same_v<T, Wide<T>>;
  using Tensors = AdamW<T>;
  const double bytes = 7 * sizeof(Wide<T>) + (kCopies ? sizeof(T) : 0);
  return op_case<Tensors>(
      s,
      {.name = "gpt2.adamw",
       .op = "adamw",
       .extents = {{"size", static_cast<double>(size.n)}},
       .bytes = bytes * static_cast<double>(size.n),
       .pattern = "r4w3",
       .per_step = static_cast<double>(s.parameters) / static_cast<double>(size.n),
       .cold = size.cold,
       .flank = "ceiling.stream.copy_nt"},
      [n = size.n](Memory& memory) {
        return Tensors{.size = n,
                       .lr = 1e-4,
                       .beta1 = 0.9,
                       .beta2 = 0.999,
                       .eps = 1e-8,
                       .weight_decay = 0.01,
                       .clip = 1.0,
                       .step = 10,
                       .g = memory.uniform<Wide<T>>(n),
                       .w = memory.uniform<Wide<T>>(n),
                       .m = memory.filled<Wide<T>>(n, 0),
                       .v = memory.filled<Wide<T>>(n, 0),
                       .copy = kCopies ? memory.poisoned<T>(n) : nullptr};
      },
      [ops = s.ops](const Context& c, const Tensors& a) {
        const auto times = std::make_shared<int64_t>(0);
        const auto followed = std::make_shared<Followed<T>>(HostView(c), a);
        return Running{.run = [ops, a, times, &c] { ops->adamw(c, a), ++*times; },
                       .check = [a, times, followed](
                                    HostView& host) { return followed->check(host, a, *times); }};
      });
}

template <class T>
sdk::Case sum_of_squares(const OpSetting<T>& s, Size size) {
  using Tensors = SumOfSquares<T>;
  return op_case<Tensors>(
      s,
      {.name = "gpt2.grad_norm",
       .op = "elementwise",
       .extents = {{"size", static_cast<double>(size.n)}},
       .bytes = static_cast<double>(size.n * sizeof(Wide<T>)),
       .pattern = "read",
       .per_step = static_cast<double>(s.parameters) / static_cast<double>(size.n),
       .cold = size.cold,
       .flank = "ceiling.stream.read"},
      [n = size.n](Memory& memory) {
        return Tensors{
            .size = n, .x = memory.uniform<Wide<T>>(n), .result = memory.filled<double>(1, 0)};
      },
      [ops = s.ops](const Context& c, const Tensors& a) {
        // Every iteration adds to the result.
        const auto times = std::make_shared<int64_t>(0);
        const auto check = [a, times](HostView& host) {
          double expected = 0;
          SumOfSquares<T> once = host.arguments(a);
          const double got = *std::exchange(once.result, &expected);
          reference_sum_of_squares(once);
          expected *= static_cast<double>(*times);
          return judged(
              std::abs(got - expected) / expected,
              sum_of_squares_tolerance(a.size) + static_cast<double>(*times) * kRounding<double>,
              "the sum");
        };
        return Running{.run = [ops, a, times, &c] { ops->sum_of_squares(c, a), ++*times; },
                       .check = check};
      });
}

}  // namespace

template <class T>
void add_optimizer_cases(const OpSetting<T>& s, CaseList& all) {
  const auto sizes = [&](double element_bytes) {
    std::vector<Size> found = s.stream_sizes(element_bytes);
    for (Size& size : found) {
      size.n = size.cold ? std::max(layer_parameters(s), size.n) : layer_parameters(s);
    }
    return found;
  };
  for (const Size& size : sizes(sizeof(Wide<T>))) all.push_back(sum_of_squares(s, size));
  for (const Size& size : sizes(7 * sizeof(Wide<T>))) all.push_back(adamw(s, size));
}

template void add_optimizer_cases(const OpSetting<float>&, CaseList&);
template void add_optimizer_cases(const OpSetting<bfloat16>&, CaseList&);

}  // namespace bench::kernel_cases
