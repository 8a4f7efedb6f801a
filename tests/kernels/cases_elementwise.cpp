// elementwise, convert, adamw.
#include <fmt/format.h>

#include <cmath>

#include "kernels/adamw/op.h"
#include "kernels/convert/op.h"
#include "kernels/elementwise/op.h"
#include "tests/kernels/cases.h"
#include "tests/kernels/support.h"

namespace bench::kernels::test {
namespace {

std::vector<int64_t> sizes(Scale scale) {
  if (scale == Scale::kModel) return {1048579, 3145728};
  return {1, 3, 17, 127, 1023, 4096};
}

// Relative to the sum, in which the terms may cancel.
template <class W>
double sum_tolerance_of(const std::vector<W>& values, double start) {
  double sum = start, sizes = start;
  for (const W x : values) sum += static_cast<double>(x), sizes += std::abs(static_cast<double>(x));
  return sum_of_squares_tolerance(static_cast<int64_t>(values.size())) * sizes / std::abs(sum);
}

}  // namespace

// Exact: rounding is the same everywhere.
template <class T>
Cases convert_cases(const Ops<T>& ops, Scale scale) {
  Cases cases;
  for (const int64_t size : sizes(scale)) {
    for (const bool stream : {false, true}) {
      const auto wide = random_values<Wide<T>>(size, 1);
      cases.push_back(make_case<ConvertNarrow<T>>(
          fmt::format("narrow {}{}", size, stream ? " stream" : ""), 0, {written<T>(size)},
          ops.convert_narrow, reference_convert_narrow<T>, [=](const Addresses& out) {
            return ConvertNarrow<T>{
                .size = size, .x = wide.data(), .y = out[0], .stream_out = stream};
          }));
      const auto narrow = random_values<T>(size, 2);
      cases.push_back(make_case<ConvertWiden<T>>(
          fmt::format("widen {}{}", size, stream ? " stream" : ""), 0, {written<Wide<T>>(size)},
          ops.convert_widen, reference_convert_widen<T>, [=](const Addresses& out) {
            return ConvertWiden<T>{
                .size = size, .x = narrow.data(), .y = out[0], .stream_out = stream};
          }));
    }
  }
  return cases;
}

template <class T>
Cases elementwise_cases(const Ops<T>& ops, Scale scale) {
  Cases cases;
  const std::vector<double> start = {0.25};  // what is added to
  for (const int64_t size : sizes(scale)) {
    const auto x = random_values<T>(size, 3);
    cases.push_back(make_case<Add<T>>(
        fmt::format("add {}", size), kAddTolerance<T>, {changed<T>(random_values<T>(size, 4))},
        ops.add, reference_add<T>,
        [=](const Addresses& out) { return Add<T>{.size = size, .x = x.data(), .y = out[0]}; }));
    const auto values = random_values<Wide<T>>(size, 3);
    cases.push_back(make_case<SumOfSquares<T>>(
        fmt::format("sum of squares {}", size), sum_of_squares_tolerance(size), {changed(start)},
        ops.sum_of_squares, reference_sum_of_squares<T>, [=](const Addresses& out) {
          return SumOfSquares<T>{.size = size, .x = values.data(), .result = out[0]};
        }));
    cases.push_back(
        make_case<Sum<T>>(fmt::format("sum {}", size), sum_tolerance_of(values, start[0]),
                          {changed(start)}, ops.sum, reference_sum<T>, [=](const Addresses& out) {
                            return Sum<T>{.size = size, .x = values.data(), .result = out[0]};
                          }));
  }
  return cases;
}

template <class T>
AdamW<T> adamw_of(int64_t size, const std::vector<Wide<T>>& g, const Addresses& out) {
  return {.size = size,
          .lr = 1e-2,
          .beta1 = 0.9,
          .beta2 = 0.95,
          .eps = 1e-8,
          .weight_decay = 0.1,
          .clip = 0.7,
          .step = 1,
          .g = g.data(),
          .w = out[0],
          .m = out[1],
          .v = out[2],
          .copy = out[3]};
}

// What an update changes, and where the rounded weights go.
template <class T>
std::vector<Output> adamw_outputs(int64_t size) {
  using W = Wide<T>;
  auto v = random_values<W>(size, 6);
  for (W& x : v) x *= x;
  constexpr double kTight = kAdamwTolerance<W>;
  return {changed(random_values<W>(size, 7), kTight), changed(random_values<W>(size, 8), kTight),
          changed(v, kTight), written<T>(size)};
}

template <class T>
Cases adamw_cases(const Ops<T>& ops, Scale scale) {
  Cases cases;
  for (const int64_t size : sizes(scale)) {
    const auto g = random_values<Wide<T>>(size, 5);
    for (const int64_t step : {1, 1000}) {
      cases.push_back(make_case<AdamW<T>>(fmt::format("size {} step {}", size, step),
                                          kAdamwTolerance<T>, adamw_outputs<T>(size), ops.adamw,
                                          reference_adamw<T>, [=](const Addresses& out) {
                                            AdamW<T> a = adamw_of<T>(size, g, out);
                                            a.step = step;
                                            return a;
                                          }));
    }
    // Norm, step and learning rate in memory: one norm above max_norm = 0.7, one below, one of
    // zero.
    for (const double norm : {4.0, 0.25, 0.0}) {
      const std::vector<double> squared = {norm * norm};
      const std::vector<int64_t> steps = {3};
      const std::vector<double> rates = {0.02};
      cases.push_back(make_case<AdamW<T>>(fmt::format("size {} norm {} in memory", size, norm),
                                          kAdamwTolerance<T>, adamw_outputs<T>(size), ops.adamw,
                                          reference_adamw<T>, [=](const Addresses& out) {
                                            AdamW<T> a = adamw_of<T>(size, g, out);
                                            a.squared_norm = squared.data();
                                            a.step_at = steps.data();
                                            a.lr_at = rates.data();
                                            return a;
                                          }));
    }
  }
  return cases;
}

template Cases convert_cases(const Ops<float>&, Scale);
template Cases convert_cases(const Ops<double>&, Scale);
template Cases convert_cases(const Ops<bfloat16>&, Scale);
template Cases elementwise_cases(const Ops<float>&, Scale);
template Cases elementwise_cases(const Ops<double>&, Scale);
template Cases elementwise_cases(const Ops<bfloat16>&, Scale);
template Cases adamw_cases(const Ops<float>&, Scale);
template Cases adamw_cases(const Ops<double>&, Scale);
template Cases adamw_cases(const Ops<bfloat16>&, Scale);

}  // namespace bench::kernels::test
