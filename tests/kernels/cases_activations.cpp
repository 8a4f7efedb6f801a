// gelu, dropout.
#include <fmt/format.h>

#include "kernels/dropout/op.h"
#include "kernels/gelu/op.h"
#include "tests/kernels/cases.h"
#include "tests/kernels/support.h"

namespace bench::kernels::test {
namespace {

struct RowShape {
  int64_t n, cols;
};
// The last are whole lines of any type, so that stream_out is followed.
std::vector<RowShape> rows(Scale scale) {
  if (scale == Scale::kModel) return {{515, 3072}, {259, 6400}};
  return {{1, 1}, {1, 3}, {3, 17}, {17, 127}, {5, 1023}, {3, 2085}, {3, 2048}};
}

// Into the range where GELU bends, and beyond.
template <class T>
std::vector<T> wide_values(int64_t size, uint32_t seed) {
  auto x = random_values<T>(size, seed);
  for (T& v : x) v = T(v * 6);
  x.back() = T(-40);
  return x;
}

template <class T>
void add_gelu(Cases& cases, const Ops<T>& ops, RowShape s, bool bias, bool in_place) {
  const int64_t size = s.n * s.cols;
  const auto x = wide_values<T>(size, 1), dy = random_values<T>(size, 2);
  const auto added = random_values<T>(s.cols, 3);
  const auto name =
      fmt::format("{} x {}{}{}", s.n, s.cols, bias ? " bias" : "", in_place ? " in place" : "");
  cases.push_back(make_case<GeluForward<T>>(
      "forward " + name, kGeluTolerance<T>, {in_place ? changed<T>(x) : written<T>(size)},
      ops.gelu_forward, reference_gelu_forward<T>, [=](const Addresses& out) {
        return GeluForward<T>{.n = s.n,
                              .cols = s.cols,
                              .x = in_place ? static_cast<const T*>(out[0]) : x.data(),
                              .bias = bias ? added.data() : nullptr,
                              .y = out[0],
                              .stream_out = !in_place};
      }));
  std::vector<Output> outputs{in_place ? changed<T>(dy) : written<T>(size)};
  if (bias) {
    outputs.push_back(changed(random_values<Wide<T>>(s.cols, 4), gelu_bias_tolerance<T>(s.n)));
  }
  cases.push_back(make_case<GeluBackward<T>>(
      "backward " + name, kGeluTolerance<T>, outputs, ops.gelu_backward, reference_gelu_backward<T>,
      [=](const Addresses& out) {
        return GeluBackward<T>{.n = s.n,
                               .cols = s.cols,
                               .dy = in_place ? static_cast<const T*>(out[0]) : dy.data(),
                               .x = x.data(),
                               .bias = bias ? added.data() : nullptr,
                               .dx = out[0],
                               .d_bias = bias ? static_cast<Wide<T>*>(out[1]) : nullptr,
                               .stream_out = !in_place};
      }));
}

// From an odd position past 2^32 on; `whole`: with bias and residual, in place of the latter.
template <class T>
void add_dropout(Cases& cases, const Ops<T>& ops, RowShape s, double rate, bool whole) {
  const int64_t size = s.n * s.cols;
  const uint64_t seed = 0x0123456789abcdef, offset = (uint64_t{1} << 35) + 13;
  const auto x = random_values<T>(size, 5), bias = random_values<T>(s.cols, 6);
  const auto name = fmt::format("{} x {} rate {}{}", s.n, s.cols, rate, whole ? " whole" : "");
  cases.push_back(make_case<DropoutForward<T>>(
      "forward " + name, kDropoutTolerance<T>,
      {whole ? changed(random_values<T>(size, 7)) : written<T>(size)}, ops.dropout_forward,
      reference_dropout_forward<T>, [=](const Addresses& out) {
        return DropoutForward<T>{.n = s.n,
                                 .h = s.cols,
                                 .rate = rate,
                                 .seed = seed,
                                 .offset = offset,
                                 .x = x.data(),
                                 .bias = whole ? bias.data() : nullptr,
                                 .residual = whole ? static_cast<const T*>(out[0]) : nullptr,
                                 .y = out[0],
                                 .stream_out = !whole};
      }));
  std::vector<Output> outputs{written<T>(size)};
  if (whole) {
    outputs.push_back(changed(random_values<Wide<T>>(s.cols, 8), dropout_bias_tolerance<T>(s.n)));
  }
  cases.push_back(make_case<DropoutBackward<T>>(
      "backward " + name, kDropoutTolerance<T>, outputs, ops.dropout_backward,
      reference_dropout_backward<T>, [=](const Addresses& out) {
        return DropoutBackward<T>{.n = s.n,
                                  .h = s.cols,
                                  .rate = rate,
                                  .seed = seed,
                                  .offset = offset,
                                  .dy = x.data(),
                                  .dx = out[0],
                                  .d_bias = whole ? static_cast<Wide<T>*>(out[1]) : nullptr,
                                  .stream_out = !whole};
      }));
}

}  // namespace

template <class T>
Cases gelu_cases(const Ops<T>& ops, Scale scale) {
  Cases cases;
  for (const auto& s : rows(scale)) {
    for (const bool bias : {false, true}) {
      for (const bool in_place : {false, true}) add_gelu(cases, ops, s, bias, in_place);
    }
  }
  return cases;
}

template <class T>
Cases dropout_cases(const Ops<T>& ops, Scale scale) {
  Cases cases;
  for (const auto& s : rows(scale)) {
    for (const double rate : {0.0, 0.1, 0.75}) {
      for (const bool whole : {false, true}) add_dropout(cases, ops, s, rate, whole);
    }
  }
  return cases;
}

template Cases gelu_cases(const Ops<float>&, Scale);
template Cases gelu_cases(const Ops<double>&, Scale);
template Cases gelu_cases(const Ops<bfloat16>&, Scale);
template Cases dropout_cases(const Ops<float>&, Scale);
template Cases dropout_cases(const Ops<double>&, Scale);
template Cases dropout_cases(const Ops<bfloat16>&, Scale);

}  // namespace bench::kernels::test
