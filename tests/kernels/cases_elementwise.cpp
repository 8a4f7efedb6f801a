// elementwise, convert, adamw.
#include <fmt/format.h>

#include "kernels/adamw/op.h"
#include "kernels/convert/op.h"
#include "kernels/elementwise/op.h"
#include "tests/kernels/cases.h"
#include "tests/kernels/support.h"

namespace bench::kernels::test {
namespace {

constexpr int64_t kSizes[] = {1, 3, 17, 127, 1023, 4096};

}  // namespace

// Exact: rounding is the same everywhere.
template <class T>
Cases convert_cases(const Ops<T>& ops) {
  Cases cases;
  for (const int64_t size : kSizes) {
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
Cases elementwise_cases(const Ops<T>& ops) {
  Cases cases;
  for (const int64_t size : kSizes) {
    const auto x = random_values<T>(size, 3);
    cases.push_back(make_case<Add<T>>(
        fmt::format("add {}", size), kAddTolerance<T>, {changed<T>(random_values<T>(size, 4))},
        ops.add, reference_add<T>,
        [=](const Addresses& out) { return Add<T>{.size = size, .x = x.data(), .y = out[0]}; }));
    const auto values = random_values<Wide<T>>(size, 3);
    // The sum is a double: it is compared in two halves.
    const auto split = [](double sum, Wide<T>* out) {
      out[0] = static_cast<Wide<T>>(sum);
      out[1] = static_cast<Wide<T>>((sum - static_cast<double>(out[0])) * 0x1p20);
    };
    const auto run = ops.sum_of_squares;
    cases.push_back({.name = fmt::format("sum of squares {}", size),
                     .tolerance = 0x1p22 * sum_of_squares_tolerance(size),
                     .outputs = {written<Wide<T>>(2)},
                     .kernel =
                         [=](const Context& context, const Addresses& out) {
                           double sum = 0.25;
                           run(context, {.size = size, .x = values.data(), .result = &sum});
                           split(sum, out[0]);
                         },
                     .reference =
                         [=](const Addresses& out) {
                           double sum = 0.25;
                           reference_sum_of_squares<T>(
                               {.size = size, .x = values.data(), .result = &sum});
                           split(sum, out[0]);
                         }});
  }
  return cases;
}

template <class T>
Cases adamw_cases(const Ops<T>& ops) {
  Cases cases;
  for (const int64_t size : kSizes) {
    for (const int64_t step : {1, 1000}) {
      using W = Wide<T>;
      const auto g = random_values<W>(size, 5);
      auto v = random_values<W>(size, 6);
      for (W& x : v) x *= x;
      constexpr double kTight = kAdamwTolerance<W>;
      cases.push_back(make_case<AdamW<T>>(
          fmt::format("size {} step {}", size, step), kAdamwTolerance<T>,
          {changed(random_values<W>(size, 7), kTight), changed(random_values<W>(size, 8), kTight),
           changed(v, kTight), written<T>(size)},
          ops.adamw, reference_adamw<T>, [=](const Addresses& out) {
            return AdamW<T>{.size = size,
                            .lr = 1e-2,
                            .beta1 = 0.9,
                            .beta2 = 0.95,
                            .eps = 1e-8,
                            .weight_decay = 0.1,
                            .clip = 0.7,
                            .step = step,
                            .g = g.data(),
                            .w = out[0],
                            .m = out[1],
                            .v = out[2],
                            .copy = out[3]};
          }));
    }
  }
  return cases;
}

template Cases convert_cases(const Ops<float>&);
template Cases convert_cases(const Ops<double>&);
template Cases convert_cases(const Ops<bfloat16>&);
template Cases elementwise_cases(const Ops<float>&);
template Cases elementwise_cases(const Ops<double>&);
template Cases elementwise_cases(const Ops<bfloat16>&);
template Cases adamw_cases(const Ops<float>&);
template Cases adamw_cases(const Ops<double>&);
template Cases adamw_cases(const Ops<bfloat16>&);

}  // namespace bench::kernels::test
