// What the kernels have in common: the instruction set in use, NaNs kept, work shared without gaps.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>

#include "kernels/cpu/parallel.h"
#include "kernels/cpu/target.h"
#include "kernels/layer_norm/op.h"
#include "kernels/ops.h"
#include "tests/kernels/support.h"

namespace bench::kernels::test {
namespace {

#if defined(__x86_64__)
TEST(SimdTarget, IsTheWidestThatTheProcessorHas) {
  const bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  EXPECT_EQ(cpu::simd_target(), avx512 ? "AVX3" : avx2 ? "AVX2" : "SSE2");
}
#endif

TEST(Parts, CoverEverythingOnceAndBeginAtTheGrain) {
  for (const int64_t size : {0, 1, 15, 16, 17, 1000}) {
    for (const int count : {1, 2, 3, 7}) {
      int64_t next = 0;
      for (int i = 0; i < count; ++i) {
        const auto part = cpu::part_of(size, i, count, 16);
        EXPECT_EQ(part.begin, next);
        EXPECT_TRUE(part.begin % 16 == 0 || part.begin == size);
        next = part.end;
      }
      EXPECT_EQ(next, size);
    }
  }
}

TEST(Parts, ThrowWhatTheBodyThrows) {
  Cpu device(2);
  EXPECT_THROW(cpu::parallel_parts(device.context(), 2, 1,
                                   [](const cpu::Part&) { throw std::runtime_error("here"); }),
               std::runtime_error);
}

// A step that diverged must not look healthy.
template <class T>
void expect_nan_reaches_the_loss(int64_t cols, int64_t at) {
  Cpu device(1);
  const auto ops = ops_for<T>(DeviceKind::cpu);
  std::vector<T> logits(cols, T(0.5f));
  logits[at] = T(std::numeric_limits<float>::quiet_NaN());
  const int32_t target = 0;
  Wide<T> row_max = 0, loss = 0;
  std::vector<Wide<T>> sums(2);
  ops.cross_entropy_forward(device.context(), {.n = 1,
                                               .cols = cols,
                                               .first_col = 0,
                                               .true_vocab = cols,
                                               .logits = logits.data(),
                                               .targets = &target,
                                               .local_max = &row_max,
                                               .sum_and_target = sums.data()});
  EXPECT_TRUE(std::isnan(sums[0])) << cols;
  ops.cross_entropy_grad(device.context(), {.n = 1,
                                            .cols = cols,
                                            .first_col = 0,
                                            .true_vocab = cols,
                                            .scale = 1,
                                            .logits = logits.data(),
                                            .row_max = &row_max,
                                            .sum_and_target = sums.data(),
                                            .targets = &target,
                                            .loss = &loss,
                                            .d_logits = nullptr});
  EXPECT_TRUE(std::isnan(loss)) << cols;
  loss = 0;
  ops.cross_entropy(device.context(), {.n = 1,
                                       .cols = cols,
                                       .true_vocab = cols,
                                       .scale = 1,
                                       .logits = logits.data(),
                                       .targets = &target,
                                       .loss = &loss,
                                       .d_logits = nullptr});
  EXPECT_TRUE(std::isnan(loss)) << cols;
}

TEST(NotANumber, InOneLogitReachesTheLoss) {
  for (const int64_t cols : {5, 100, 3000}) {
    for (const int64_t at : {int64_t{3}, cols - 1}) {
      expect_nan_reaches_the_loss<float>(cols, at);
      expect_nan_reaches_the_loss<double>(cols, at);
      expect_nan_reaches_the_loss<bfloat16>(cols, at);
    }
  }
}

// All that memory full of ones in every bit may hold, too.
template <class T>
std::vector<T> nans(int64_t size) {
  std::vector<T> x(size, T(std::numeric_limits<float>::quiet_NaN()));
  std::memset(static_cast<void*>(x.data()), 0xff, sizeof(T) * x.size() / 2);
  return x;
}

template <class T>
void expect_nan(const std::vector<T>& values, const char* what) {
  for (const T v : values) ASSERT_TRUE(std::isnan(static_cast<double>(v))) << what;
}

template <class T>
void expect_nan_through_rows() {
  constexpr int64_t n = 2, h = 83;
  Cpu device(1);
  const auto ops = ops_for<T>(DeviceKind::cpu);
  const auto x = nans<T>(n * h);
  const std::vector<T> finite(n * h, T(0.5f));
  const std::vector<Wide<T>> one(n, Wide<T>(1));
  std::vector<T> y(n * h);
  std::vector<Wide<T>> mean(n), rstd(n), wide(n * h), d_gamma(h), d_beta(h);
  const auto& c = device.context();
  ops.gelu_forward(c, {.n = n, .cols = h, .x = x.data(), .bias = nullptr, .y = y.data()});
  expect_nan(y, "gelu forward");
  ops.gelu_backward(c, {.n = n,
                        .cols = h,
                        .dy = x.data(),
                        .x = finite.data(),
                        .bias = nullptr,
                        .dx = y.data(),
                        .d_bias = d_beta.data()});
  expect_nan(y, "gelu backward");
  expect_nan(d_beta, "gelu bias");
  ops.dropout_forward(c, {.n = n,
                          .h = h,
                          .rate = 0.5,
                          .seed = 1,
                          .offset = 0,
                          .x = x.data(),
                          .bias = nullptr,
                          .residual = nullptr,
                          .y = y.data()});
  expect_nan(y, "dropout");
  ops.layer_norm_forward(c, {.n = n,
                             .h = h,
                             .eps = 0,
                             .x = x.data(),
                             .residual = nullptr,
                             .sum = nullptr,
                             .gamma = finite.data(),
                             .beta = finite.data(),
                             .y = y.data(),
                             .mean = mean.data(),
                             .rstd = rstd.data()});
  expect_nan(y, "layer norm forward");
  expect_nan(rstd, "layer norm statistics");
  ops.layer_norm_backward(c, {.n = n,
                              .h = h,
                              .dy = x.data(),
                              .x = finite.data(),
                              .gamma = finite.data(),
                              .mean = one.data(),
                              .rstd = one.data(),
                              .d_residual = nullptr,
                              .dx = y.data(),
                              .d_gamma = d_gamma.data(),
                              .d_beta = d_beta.data()});
  expect_nan(y, "layer norm backward");
  ops.convert_narrow(c, {.size = n * h, .x = nans<Wide<T>>(n * h).data(), .y = y.data()});
  expect_nan(y, "narrow");
  ops.convert_widen(c, {.size = n * h, .x = x.data(), .y = wide.data()});
  expect_nan(wide, "widen");
}

TEST(NotANumber, PassesThroughTheRowOps) {
  expect_nan_through_rows<float>();
  expect_nan_through_rows<double>();
  expect_nan_through_rows<bfloat16>();
}

// Nothing may cancel where the mean is far larger than the deviation, or one element than the rest.
template <class T>
void expect_exact_moments(double mean, double first) {
  constexpr int64_t h = 1023;
  Cpu device(1);
  auto x = random_values<T>(h, 1);
  for (T& v : x) v = T(v + T(mean));
  x[0] = T(first);
  const std::vector<T> gamma(h, T(1.0f)), beta(h, T(0.0f));
  std::vector<T> y(h), want_y(h);
  Wide<T> got[2], want[2];
  LayerNormForward<T> a{.n = 1,
                        .h = h,
                        .eps = Wide<T>(1e-5),
                        .x = x.data(),
                        .residual = nullptr,
                        .sum = nullptr,
                        .gamma = gamma.data(),
                        .beta = beta.data(),
                        .y = y.data(),
                        .mean = got,
                        .rstd = got + 1};
  ops_for<T>(DeviceKind::cpu).layer_norm_forward(device.context(), a);
  a.y = want_y.data(), a.mean = want, a.rstd = want + 1;
  reference_layer_norm_forward(a);
  const double tolerance = layer_norm_tolerance<Wide<T>>(1, h);
  EXPECT_NEAR(got[0], want[0], tolerance * std::abs(want[0]));
  EXPECT_NEAR(got[1], want[1], tolerance * want[1]);
}

TEST(LayerNorm, KeepsItsDigitsBesideALargeMeanAndALargeElement) {
  for (const double mean : {0.0, 1e4, -3e4}) {
    for (const double first : {mean, mean + 1e3, 1e6}) {
      expect_exact_moments<float>(mean, first);
      expect_exact_moments<double>(mean, first);
    }
  }
}

// Of a row's, and only of that row's: the next row's are finite, the far one is zero.
TEST(NotANumber, InOneScoreReachesItsProbabilities) {
  Cpu device(1);
  constexpr int64_t seq = 40;
  std::vector<float> x(seq * seq, 0.5f);
  x[30 * seq + 3] = std::numeric_limits<float>::quiet_NaN();
  x[31 * seq + 3] = -1e30f;
  ops_for<float>(DeviceKind::cpu)
      .softmax_forward(device.context(),
                       {.rows = seq, .seq = seq, .scale = 1, .x = x.data(), .y = x.data()});
  for (int64_t c = 0; c <= 30; ++c) EXPECT_TRUE(std::isnan(x[30 * seq + c])) << c;
  for (int64_t c = 0; c <= 31; ++c) EXPECT_EQ(x[31 * seq + c] == 0, c == 3) << c;
}

TEST(NotANumber, PassesThroughEveryAttention) {
  Cpu device(1);
  constexpr int64_t seq = 200, d = 5;
  std::vector<float> qkv(seq * 3 * d, 0.5f), out(seq * d);
  qkv[190 * 3 * d] = std::numeric_limits<float>::quiet_NaN();  // a query
  for (const char* const variant : {"flash", "unfused"}) {
    const auto ops = ops_for<float>(DeviceKind::cpu, {{"attention", variant}});
    std::vector<std::byte> saved(ops.attention_saved_bytes(1, seq, 1, d));
    ops.attention_forward(device.context(), {.batch = 1,
                                             .seq = seq,
                                             .heads = 1,
                                             .d = d,
                                             .qkv = qkv.data(),
                                             .out = out.data(),
                                             .saved = saved.data()});
    for (int64_t i = 0; i < seq * d; ++i) EXPECT_EQ(std::isnan(out[i]), i / d == 190) << variant;
  }
}

}  // namespace
}  // namespace bench::kernels::test
