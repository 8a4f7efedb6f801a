// Every backward against central differences of its forward, in double. The loss is a fixed linear
// form of the forward's output, whose coefficients are what the backward is given.
#include <gtest/gtest.h>

#include <functional>
#include <numeric>

#include "kernels/ops.h"
#include "tests/kernels/support.h"

namespace bench::kernels::test {
namespace {

using Values = std::vector<double>;

// Truncation is O(step^2), rounding about 1e-16 / step: together near 1e-10.
constexpr double kStep = 1e-5, kAllowed = 1e-7;

Values numeric_gradient(Values& at, const std::function<double()>& loss) {
  Values gradient;
  for (double& x : at) {
    const double before = x;
    x = before + kStep;
    const double above = loss();
    x = before - kStep;
    const double below = loss();
    x = before;
    gradient.push_back((above - below) / (2 * kStep));
  }
  return gradient;
}

void expect_gradient(const char* what, const Values& got, Values& at,
                     const std::function<double()>& loss) {
  const Values want = numeric_gradient(at, loss);
  EXPECT_LE(error_of<double>(got, want), kAllowed) << what;
}

double dot(const Values& a, const Values& b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}

class Gradients : public testing::Test {
 protected:
  Cpu device_{2};
  Context context_ = device_.context();
  Ops<double> ops_ = ops_for<double>(DeviceKind::cpu);
};

TEST_F(Gradients, Embedding) {
  constexpr int64_t n = 6, h = 5, seq = 3, rows = 4;
  const std::vector<int32_t> ids{0, 2, 2, 3, 9, 0};  // 9: another rank's
  Values token = random_values<double>(rows * h, 1), position = random_values<double>(seq * h, 2);
  const Values dy = random_values<double>(n * h, 3);
  Values y(n * h), d_token(rows * h), d_position(seq * h);
  const auto loss = [&] {
    ops_.embedding_forward(context_, {.n = n,
                                      .h = h,
                                      .seq = seq,
                                      .first_row = 0,
                                      .rows = rows,
                                      .ids = ids.data(),
                                      .token = token.data(),
                                      .position = position.data(),
                                      .y = y.data()});
    return dot(y, dy);
  };
  ops_.embedding_backward(context_, {.n = n,
                                     .h = h,
                                     .seq = seq,
                                     .first_row = 0,
                                     .rows = rows,
                                     .ids = ids.data(),
                                     .dy = dy.data(),
                                     .d_token = d_token.data(),
                                     .d_position = d_position.data()});
  expect_gradient("d_token", d_token, token, loss);
  expect_gradient("d_position", d_position, position, loss);
}

TEST_F(Gradients, LayerNorm) {
  constexpr int64_t n = 3, h = 17;
  Values x = random_values<double>(n * h, 4), residual = random_values<double>(n * h, 5);
  Values gamma = random_values<double>(h, 6), beta = random_values<double>(h, 7);
  const Values dy = random_values<double>(n * h, 8), d_sum = random_values<double>(n * h, 9);
  Values sum(n * h), y(n * h), mean(n), rstd(n), dx(n * h), d_gamma(h), d_beta(h);
  // The sum goes on along the residual path too, hence its own coefficients.
  const auto loss = [&] {
    ops_.layer_norm_forward(context_, {.n = n,
                                       .h = h,
                                       .eps = 1e-5,
                                       .x = x.data(),
                                       .residual = residual.data(),
                                       .sum = sum.data(),
                                       .gamma = gamma.data(),
                                       .beta = beta.data(),
                                       .y = y.data(),
                                       .mean = mean.data(),
                                       .rstd = rstd.data()});
    return dot(y, dy) + dot(sum, d_sum);
  };
  loss();
  ops_.layer_norm_backward(context_, {.n = n,
                                      .h = h,
                                      .dy = dy.data(),
                                      .x = sum.data(),
                                      .gamma = gamma.data(),
                                      .mean = mean.data(),
                                      .rstd = rstd.data(),
                                      .d_residual = d_sum.data(),
                                      .dx = dx.data(),
                                      .d_gamma = d_gamma.data(),
                                      .d_beta = d_beta.data()});
  expect_gradient("dx", dx, x, loss);
  expect_gradient("d_residual", dx, residual, loss);
  expect_gradient("d_gamma", d_gamma, gamma, loss);
  expect_gradient("d_beta", d_beta, beta, loss);
}

TEST_F(Gradients, Linear) {
  constexpr int64_t n = 7, in = 5, out = 9;
  Values x = random_values<double>(n * in, 10), w = random_values<double>(out * in, 11);
  Values bias = random_values<double>(out, 12);
  const Values dy = random_values<double>(n * out, 13);
  Values y(n * out), dx(n * in), dw(out * in), d_bias(out);
  const auto loss = [&] {
    ops_.linear_forward(context_, {.n = n,
                                   .in = in,
                                   .out = out,
                                   .x = x.data(),
                                   .w = w.data(),
                                   .bias = bias.data(),
                                   .y = y.data()});
    return dot(y, dy);
  };
  ops_.linear_input_grad(
      context_, {.n = n, .in = in, .out = out, .dy = dy.data(), .w = w.data(), .dx = dx.data()});
  ops_.linear_weight_grad(context_, {.n = n,
                                     .in = in,
                                     .out = out,
                                     .accumulate = false,
                                     .dy = dy.data(),
                                     .x = x.data(),
                                     .dw = dw.data(),
                                     .d_bias = d_bias.data()});
  expect_gradient("dx", dx, x, loss);
  expect_gradient("dw", dw, w, loss);
  expect_gradient("d_bias", d_bias, bias, loss);
}

TEST_F(Gradients, Gelu) {
  constexpr int64_t n = 7, cols = 9;
  Values x = random_values<double>(n * cols, 14), bias = random_values<double>(cols, 19);
  for (double& v : x) v *= 4;
  const Values dy = random_values<double>(n * cols, 15);
  Values y(n * cols), dx(n * cols), d_bias(cols);
  const auto loss = [&] {
    ops_.gelu_forward(context_,
                      {.n = n, .cols = cols, .x = x.data(), .bias = bias.data(), .y = y.data()});
    return dot(y, dy);
  };
  ops_.gelu_backward(context_, {.n = n,
                                .cols = cols,
                                .dy = dy.data(),
                                .x = x.data(),
                                .bias = bias.data(),
                                .dx = dx.data(),
                                .d_bias = d_bias.data()});
  expect_gradient("dx", dx, x, loss);
  expect_gradient("d_bias", d_bias, bias, loss);
}

TEST_F(Gradients, Dropout) {
  constexpr int64_t n = 7, h = 9;
  constexpr double rate = 0.3;
  constexpr uint64_t seed = 5, offset = 3;
  Values x = random_values<double>(n * h, 20), bias = random_values<double>(h, 21);
  Values residual = random_values<double>(n * h, 22);
  const Values dy = random_values<double>(n * h, 23);
  Values y(n * h), dx(n * h), d_bias(h);
  const auto loss = [&] {
    ops_.dropout_forward(context_, {.n = n,
                                    .h = h,
                                    .rate = rate,
                                    .seed = seed,
                                    .offset = offset,
                                    .x = x.data(),
                                    .bias = bias.data(),
                                    .residual = residual.data(),
                                    .y = y.data()});
    return dot(y, dy);
  };
  ops_.dropout_backward(context_, {.n = n,
                                   .h = h,
                                   .rate = rate,
                                   .seed = seed,
                                   .offset = offset,
                                   .dy = dy.data(),
                                   .dx = dx.data(),
                                   .d_bias = d_bias.data()});
  expect_gradient("dx", dx, x, loss);
  expect_gradient("d_bias", d_bias, bias, loss);
  expect_gradient("residual", dy, residual, loss);
}

TEST_F(Gradients, Softmax) {
  constexpr int64_t rows = 14, seq = 7;
  constexpr double scale = 0.7;
  Values x = random_values<double>(rows * seq, 19);
  const Values dy = random_values<double>(rows * seq, 20);
  Values y(rows * seq), dx(rows * seq);
  const auto loss = [&] {
    ops_.softmax_forward(context_,
                         {.rows = rows, .seq = seq, .scale = scale, .x = x.data(), .y = y.data()});
    return dot(y, dy);
  };
  loss();
  ops_.softmax_backward(
      context_,
      {.rows = rows, .seq = seq, .scale = scale, .dy = dy.data(), .y = y.data(), .dx = dx.data()});
  expect_gradient("dx", dx, x, loss);
}

// 131 positions: two blocks of queries, so that the sums over blocks are in it.
TEST_F(Gradients, Attention) {
  constexpr int64_t batch = 1, seq = 131, heads = 2, d = 2;
  constexpr int64_t size = batch * seq * heads * d;
  Values qkv = random_values<double>(3 * size, 16);
  const Values d_out = random_values<double>(size, 17);
  Values out(size), d_qkv(3 * size);
  std::vector<std::byte> saved(ops_.attention_saved_bytes(batch, seq, heads, d));
  const auto loss = [&] {
    ops_.attention_forward(context_, {.batch = batch,
                                      .seq = seq,
                                      .heads = heads,
                                      .d = d,
                                      .qkv = qkv.data(),
                                      .out = out.data(),
                                      .saved = saved.data()});
    return dot(out, d_out);
  };
  loss();
  ops_.attention_backward(context_, {.batch = batch,
                                     .seq = seq,
                                     .heads = heads,
                                     .d = d,
                                     .qkv = qkv.data(),
                                     .out = out.data(),
                                     .saved = saved.data(),
                                     .d_out = d_out.data(),
                                     .d_qkv = d_qkv.data()});
  expect_gradient("d_qkv", d_qkv, qkv, loss);
}

// Loss and gradient, with padding columns that must get none.
TEST_F(Gradients, CrossEntropy) {
  constexpr int64_t n = 3, cols = 19, vocabulary = 17;
  constexpr double scale = 1.0 / n;
  Values logits = random_values<double>(n * cols, 18);
  const std::vector<int32_t> targets{0, 16, 5};
  Values row_max(n), sums(2 * n), losses(n), d_logits(n * cols);
  const auto pass = [&](double* gradient) {
    ops_.cross_entropy_forward(context_, {.n = n,
                                          .cols = cols,
                                          .first_col = 0,
                                          .true_vocab = vocabulary,
                                          .logits = logits.data(),
                                          .targets = targets.data(),
                                          .local_max = row_max.data(),
                                          .sum_and_target = sums.data()});
    ops_.cross_entropy_grad(context_, {.n = n,
                                       .cols = cols,
                                       .first_col = 0,
                                       .true_vocab = vocabulary,
                                       .scale = scale,
                                       .logits = logits.data(),
                                       .row_max = row_max.data(),
                                       .sum_and_target = sums.data(),
                                       .targets = targets.data(),
                                       .loss = losses.data(),
                                       .d_logits = gradient});
    return scale * std::accumulate(losses.begin(), losses.end(), 0.0);
  };
  pass(d_logits.data());
  expect_gradient("d_logits", d_logits, logits, [&] { return pass(nullptr); });
  for (int64_t r = 0; r < n; ++r) {
    for (int64_t c = vocabulary; c < cols; ++c) EXPECT_EQ(d_logits[r * cols + c], 0);
  }
}

}  // namespace
}  // namespace bench::kernels::test
