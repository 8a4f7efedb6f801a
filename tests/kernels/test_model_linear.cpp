// Every variant of linear at the sizes of a model: some rows of each product are computed again.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "kernels/linear/op.h"
#include "tests/kernels/support.h"
#include "tests/kernels/variants.h"

namespace bench::kernels::test {
namespace {

struct LinearShape {
  int64_t n, in, out;
};
// The layers of GPT-2 124M, and its head.
constexpr LinearShape kLinears[] = {
    {2048, 768, 2304}, {2048, 768, 768}, {2048, 768, 3072}, {2048, 3072, 768}, {512, 768, 50304}};
constexpr int64_t kRows = 4;

// Row k of kRows, spread over `size`.
int64_t spread_row(int64_t k, int64_t size) { return k * (size - 1) / (kRows - 1); }

// The error of those rows of `got` [size, width] that row(r, expected) computes.
template <class U, class Row>
double rows_error(const std::vector<U>& got, int64_t size, int64_t width, const Row& row) {
  std::vector<double> have(static_cast<size_t>(kRows * width)), want(have.size());
#pragma omp parallel for
  for (int64_t k = 0; k < kRows; ++k) {
    const int64_t r = spread_row(k, size);
    std::vector<U> expected(static_cast<size_t>(width));
    row(r, expected.data());
    std::copy_n(got.begin() + r * width, width, have.begin() + k * width);
    std::copy(expected.begin(), expected.end(), want.begin() + k * width);
  }
  return error_of(have, want);
}

template <class T>
class Products {
 public:
  Products(const Ops<T>& ops, LinearShape s) : ops_(ops), s_(s) {}

  double forward(Site& site) {
    std::vector<T> y(static_cast<size_t>(s_.n * s_.out), T(NAN));
    LinearForward<T> a{.n = s_.n,
                       .in = s_.in,
                       .out = s_.out,
                       .x = x_.data(),
                       .w = w_.data(),
                       .bias = bias_.data(),
                       .y = y.data()};
    site.call(ops_.linear_forward, a);
    return rows_error(y, s_.n, s_.out, [a](int64_t r, T* expected) {
      LinearForward<T> row = a;
      row.n = 1, row.x += r * a.in, row.y = expected;
      reference_linear_forward(row);
    });
  }

  // Of GELU besides y.
  double forward_gelu(Site& site) {
    std::vector<T> y(static_cast<size_t>(s_.n * s_.out), T(NAN)), gelu = y;
    LinearForward<T> a{.n = s_.n,
                       .in = s_.in,
                       .out = s_.out,
                       .x = x_.data(),
                       .w = w_.data(),
                       .bias = bias_.data(),
                       .y = y.data(),
                       .gelu = gelu.data()};
    site.call(ops_.linear_forward, a);
    return rows_error(gelu, s_.n, s_.out, [a](int64_t r, T* expected) {
      std::vector<T> before(static_cast<size_t>(a.out));
      LinearForward<T> row = a;
      row.n = 1, row.x += r * a.in, row.y = before.data(), row.gelu = expected;
      reference_linear_forward(row);
    });
  }

  double input_grad(Site& site, bool through_gelu) {
    std::vector<T> dx(static_cast<size_t>(s_.n * s_.in), T(NAN));
    LinearInputGrad<T> a{.n = s_.n,
                         .in = s_.in,
                         .out = s_.out,
                         .dy = dy_.data(),
                         .w = w_.data(),
                         .dx = dx.data(),
                         .gelu_of = through_gelu ? x_.data() : nullptr};
    site.call(ops_.linear_input_grad, a);
    return rows_error(dx, s_.n, s_.in, [a](int64_t r, T* expected) {
      LinearInputGrad<T> row = a;
      row.n = 1, row.dy += r * a.out, row.dx = expected;
      if (a.gelu_of != nullptr) row.gelu_of += r * a.in;
      reference_linear_input_grad(row);
    });
  }

  // Of dw and of d_bias, both added to.
  std::pair<double, double> weight_grad(Site& site) {
    using W = Wide<T>;
    const std::vector<W> dw_before = random_values<W>(s_.out * s_.in, 5);
    const std::vector<W> bias_before = random_values<W>(s_.out, 6);
    std::vector<W> dw = dw_before, d_bias = bias_before, rows_bias(d_bias.size());
    LinearWeightGrad<T> a{.n = s_.n,
                          .in = s_.in,
                          .out = s_.out,
                          .accumulate = true,
                          .dy = dy_.data(),
                          .x = x_.data(),
                          .dw = dw.data(),
                          .d_bias = d_bias.data()};
    site.call(ops_.linear_weight_grad, a);
    const double error = rows_error(dw, s_.out, s_.in, [&](int64_t o, W* expected) {
      std::vector<T> column;
      for (int64_t r = 0; r < s_.n; ++r) column.push_back(dy_[r * s_.out + o]);
      std::copy_n(dw_before.begin() + o * s_.in, s_.in, expected);
      rows_bias[o] = bias_before[o];
      LinearWeightGrad<T> row = a;
      row.out = 1, row.dy = column.data(), row.dw = expected, row.d_bias = &rows_bias[o];
      reference_linear_weight_grad(row);
    });
    std::vector<double> have, want;
    for (int64_t k = 0; k < kRows; ++k) {
      have.push_back(d_bias[spread_row(k, s_.out)]);
      want.push_back(rows_bias[spread_row(k, s_.out)]);
    }
    return {error, error_of(have, want)};
  }

 private:
  Ops<T> ops_;
  LinearShape s_;
  std::vector<T> x_ = random_values<T>(s_.n * s_.in, 1), w_ = random_values<T>(s_.out * s_.in, 2),
                 bias_ = random_values<T>(s_.out, 3), dy_ = random_values<T>(s_.n * s_.out, 4);
};

template <class T>
void expect_products(const VariantInfo& v) {
  const auto ops = ops_for<T>(v.device, {{"linear", std::string(v.name)}});
  Site& site = *tested_sites().front().site;
  for (const LinearShape& s : kLinears) {
    if (!variant_supports<T>(v.device, v.op, v.name, {.n = s.n, .in = s.in, .out = s.out}))
      continue;
    SCOPED_TRACE(fmt::format("{} x {} to {}", s.n, s.in, s.out));
    Products<T> products(ops, s);
    EXPECT_LE(products.forward(site), linear_tolerance<T>(s.in));
    EXPECT_LE(products.input_grad(site, false), linear_tolerance<T>(s.out));
    if (ops.linear_fuses_gelu) {
      EXPECT_LE(products.forward_gelu(site), linear_gelu_tolerance<T>(s.in));
      EXPECT_LE(products.input_grad(site, true), linear_gelu_tolerance<T>(s.out));
    }
    const auto [dw, d_bias] = products.weight_grad(site);
    EXPECT_LE(dw, linear_tolerance<Wide<T>>(s.n));
    EXPECT_LE(d_bias, linear_tolerance<Wide<T>>(s.n));
  }
}

class ModelLinear : public testing::TestWithParam<VariantInfo> {};

TEST_P(ModelLinear, ComputesRowsOfItsProducts) {
  if (GetParam().dtype == DType::f32) expect_products<float>(GetParam());
  if (GetParam().dtype == DType::bf16) expect_products<bfloat16>(GetParam());
}

INSTANTIATE_TEST_SUITE_P(All, ModelLinear, testing::ValuesIn(variants_of("linear")), test_name);

}  // namespace
}  // namespace bench::kernels::test
