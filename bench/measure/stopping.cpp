#include "bench/measure/stopping.h"

#include <algorithm>
#include <cmath>

#include "bench/measure/statistics.h"

namespace bench::measure {
namespace {

constexpr double kBlockSeconds = 0.25;        // between two looks at the rule …
constexpr double kLongestBlockSeconds = 0.5;  // … stretched to this for a useful block
constexpr int64_t kUsefulBlock = 16, kLargestBlock = 256;
// Below this no two order statistics enclose the median with 95 %.
constexpr int64_t kLeastForInterval = 6;

}  // namespace

// Selection instead of sorting: this runs after every block over everything so far.
void Stopping::update() {
  partly_sorted_ = samples_;
  const int64_t n = count();
  if (n == 0) return;
  const auto order_statistic = [&](int64_t from_zero) {
    const auto nth = partly_sorted_.begin() + from_zero;
    std::nth_element(partly_sorted_.begin(), nth, partly_sorted_.end());
    return *nth;
  };
  const int64_t k = std::max<int64_t>(1, median_interval_order(n));
  half_width_s_ = (order_statistic(n - k) - order_statistic(k - 1)) / 2;
  median_s_ = (order_statistic((n - 1) / 2) + order_statistic(n / 2)) / 2;
}

bool Stopping::precise() const {
  return count() >= kLeastForInterval && half_width_s_ <= rule_.relative_half_width * median_s_;
}

std::string_view Stopping::reason(double elapsed_s) {
  update();
  if (rule_.fixed_samples > 0) return taken() >= rule_.fixed_samples ? "fixed" : "";
  if (count() >= rule_.min_samples && elapsed_s >= rule_.min_seconds && precise())
    return "converged";
  if (elapsed_s >= rule_.max_seconds) return "max_time";
  if (taken() >= rule_.max_samples) return "max_samples";
  return "";
}

int64_t Stopping::next_block(double sample_s, double elapsed_s) const {
  const int64_t cap = rule_.fixed_samples > 0 ? rule_.fixed_samples : rule_.max_samples;
  const int64_t left = std::max<int64_t>(1, cap - taken());
  const double fit = sample_s > 0 ? kBlockSeconds / sample_s : kLargestBlock;
  int64_t m = static_cast<int64_t>(std::clamp(fit, 1.0, static_cast<double>(kLargestBlock)));
  if (m < kUsefulBlock && kUsefulBlock * sample_s <= kLongestBlockSeconds) m = kUsefulBlock;
  if (rule_.fixed_samples == 0 && sample_s > 0) {
    const double until_cap = std::ceil((rule_.max_seconds - elapsed_s) / sample_s);
    m = static_cast<int64_t>(std::clamp(until_cap, 1.0, static_cast<double>(m)));
  }
  return std::min(m, left);
}

}  // namespace bench::measure
