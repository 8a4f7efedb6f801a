#include "bench/measure/statistics.h"

#include <algorithm>
#include <cmath>

namespace bench::measure {
namespace {

constexpr int64_t kExactUpTo = 1000;
constexpr double kTail = 0.025;
constexpr double kNormalQuantile = 1.959963984540054;  // of 1 - kTail

// P(Bin(n, 1/2) = i), through logarithms because 2^-n leaves the range of double at n = 1075.
double binomial_half(int64_t n, int64_t i) {
  const double n_d = static_cast<double>(n), i_d = static_cast<double>(i);
  return std::exp(std::lgamma(n_d + 1) - std::lgamma(i_d + 1) - std::lgamma(n_d - i_d + 1) -
                  n_d * std::log(2.0));
}

int64_t exact_order(int64_t n) {
  double below = 0;  // P(Bin(n, 1/2) < k)
  int64_t k = 0;
  while (k < n && below + binomial_half(n, k) <= kTail) below += binomial_half(n, k++);
  return k;
}

}  // namespace

std::vector<double> sorted(std::span<const double> values) {
  std::vector<double> ascending(values.begin(), values.end());
  std::sort(ascending.begin(), ascending.end());
  return ascending;
}

double quantile_of_sorted(std::span<const double> ascending, double p) {
  if (ascending.empty()) return 0;
  const double h = static_cast<double>(ascending.size() - 1) * std::clamp(p, 0.0, 1.0);
  const size_t below = static_cast<size_t>(h);
  const size_t above = std::min(below + 1, ascending.size() - 1);
  return ascending[below] +
         (h - static_cast<double>(below)) * (ascending[above] - ascending[below]);
}

double quantile_of(std::span<const double> values, double p) {
  return quantile_of_sorted(sorted(values), p);
}

double median_of(std::span<const double> values) { return quantile_of(values, 0.5); }

double mean_of(std::span<const double> values) {
  if (values.empty()) return 0;
  double sum = 0;
  for (const double v : values) sum += v;
  return sum / static_cast<double>(values.size());
}

double standard_deviation_of(std::span<const double> values) {
  if (values.size() < 2) return 0;
  const double mean = mean_of(values);
  double squares = 0;
  for (const double v : values) squares += (v - mean) * (v - mean);
  return std::sqrt(squares / static_cast<double>(values.size() - 1));
}

double median_absolute_deviation_of(std::span<const double> values) {
  const double median = median_of(values);
  std::vector<double> distances;
  distances.reserve(values.size());
  for (const double v : values) distances.push_back(std::abs(v - median));
  return median_of(distances);
}

int64_t median_interval_order(int64_t n) {
  if (n < 6) return 0;
  if (n <= kExactUpTo) return exact_order(n);
  const double n_d = static_cast<double>(n);
  return static_cast<int64_t>(std::floor((n_d - kNormalQuantile * std::sqrt(n_d)) / 2));
}

schema::Interval median_interval_of_sorted(std::span<const double> ascending) {
  if (ascending.empty()) return {};
  const int64_t n = static_cast<int64_t>(ascending.size());
  const int64_t k = std::max<int64_t>(1, median_interval_order(n));
  return {.low = ascending[static_cast<size_t>(k - 1)],
          .high = ascending[static_cast<size_t>(n - k)]};
}

schema::Interval median_interval_of(std::span<const double> values) {
  return median_interval_of_sorted(sorted(values));
}

std::optional<double> drift_of(std::span<const double> in_order) {
  if (in_order.size() < 4) return std::nullopt;
  const size_t half = in_order.size() / 2;
  const double first = median_of(in_order.first(half));
  if (first == 0) return std::nullopt;
  return median_of(in_order.last(half)) / first - 1;
}

}  // namespace bench::measure
