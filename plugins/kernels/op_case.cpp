#include "plugins/kernels/op_case.h"

#include <fmt/format.h>

#include "kernels/rounding.h"

namespace bench::kernel_cases {
namespace {

class OpInstance final : public sdk::Instance {
 public:
  OpInstance(const sdk::Place& place, uint64_t seed, const Open& open)
      : context_(place.context),
        memory_(&place.context, seed),
        running_(open(place.context, memory_)) {}

  void enqueue(int64_t n) override {
    for (int64_t i = 0; i < n; ++i) running_.run();
  }
  sdk::Check check() override {
    HostView host(context_);
    return running_.check(host);
  }

 private:
  const Context& context_;
  Memory memory_;
  Running running_;
};

}  // namespace

double worse(double a, double b) { return std::isnan(a) || std::isnan(b) ? NAN : std::max(a, b); }

double accumulation_tolerance(int64_t times) {
  return static_cast<double>(times) * kernels::kRounding<float>;
}

double sum_error(double got, double once, int64_t times, int64_t rows) {
  const auto t = static_cast<double>(times);
  return std::abs(got - t * once) / (t * std::sqrt(static_cast<double>(rows)));
}

std::vector<int64_t> spread(int64_t count, int64_t size) {
  if (count >= size) count = size;
  std::vector<int64_t> places;
  for (int64_t k = 0; k < count; ++k) {
    places.push_back(count == 1 ? 0 : k * (size - 1) / (count - 1));
  }
  return places;
}

sdk::Check judged(double error, double tolerance, const std::string& what) {
  const bool passed = error <= tolerance;  // false for NaN
  return {
      .passed = passed,
      .error = error,
      .tolerance = tolerance,
      .detail =
          passed
              ? ""
              : fmt::format(
                    "{}: largest difference {:.3g} of the largest value, at most {:.3g} is allowed",
                    what, error, tolerance)};
}

sdk::Case declared(const Setting& setting, const OpWork& work, int64_t memory_bytes, Open open) {
  sdk::Case made;
  made.name = work.name;
  made.text_params = {
      {"model", setting.model}, {"op", work.op}, {"variant", setting.variant_of(work.op)}};
  if (!work.pattern.empty()) made.text_params.emplace_back("pattern", work.pattern);
  if (!work.arithmetic.empty()) made.text_params.emplace_back("arithmetic", work.arithmetic);
  made.number_params = work.extents;
  // Other sizes than the model's are no part of its step.
  if (work.per_step > 0 && !work.cold && setting.axes.empty())
    made.number_params.emplace_back("per_step", work.per_step);
  made.dtype = setting.dtype;
  made.flops = work.flops;
  made.bytes = work.bytes;
  made.memory_bytes = static_cast<double>(memory_bytes);
  made.cold = work.cold;
  if (work.cold) made.flank = work.flank;
  made.unavailable = setting.why_not(work.op, work.shape);
  made.open = [seed = setting.seed, open = std::move(open)](const sdk::Place& place) {
    return std::make_unique<OpInstance>(place, seed, open);
  };
  return made;
}

}  // namespace bench::kernel_cases
