#pragma once
// Numbers from samples. An empty span gives 0 everywhere; nothing here needs its input sorted
// unless it says so.

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "reports/schema/report.h"

namespace bench::measure {

std::vector<double> sorted(std::span<const double> values);

// Quantile by linear interpolation between order statistics, x[h] with h = (n - 1) p: definition 7
// of Hyndman and Fan (1996), which R and NumPy use by default. `ascending` is sorted; p in [0, 1].
double quantile_of_sorted(std::span<const double> ascending, double p);
double quantile_of(std::span<const double> values, double p);

double median_of(std::span<const double> values);
double mean_of(std::span<const double> values);
// With n - 1 in the denominator; 0 for a single value.
double standard_deviation_of(std::span<const double> values);
// Median of |x - median|, not scaled to resemble a standard deviation.
double median_absolute_deviation_of(std::span<const double> values);

// Number k of the order statistics x(k) and x(n - k + 1), counted from 1, between which the true
// median lies with a probability of at least 95 % whatever the distribution: the largest k with
// P(Bin(n, 1/2) < k) <= 2.5 %. Exact up to n = 1000, from the normal limit (rounded outwards)
// beyond. 0 when n < 6: even the whole range covers less.
int64_t median_interval_order(int64_t n);

// x(k) and x(n - k + 1) of the above; the whole range when n < 6.
schema::Interval median_interval_of(std::span<const double> values);
schema::Interval median_interval_of_sorted(std::span<const double> ascending);

// (median of the second half / median of the first half) - 1, in the order taken; the middle one of
// an odd number is in neither. Empty for fewer than 4 values, or when the first half's median is 0.
std::optional<double> drift_of(std::span<const double> in_order);

}  // namespace bench::measure
