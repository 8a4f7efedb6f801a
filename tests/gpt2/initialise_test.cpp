#include "parallel/gpt2/initialise.h"

#include <gtest/gtest.h>

#include <cmath>

namespace bench::gpt2 {
namespace {

TEST(Normal, AnyStretchHoldsTheSameNumbers) {
  std::vector<float> whole(101);
  normal_numbers(5, 2, 0, whole);
  for (const int64_t first : {1, 2, 37, 100}) {
    std::vector<float> part(whole.size() - static_cast<size_t>(first));
    normal_numbers(5, 2, first, part);
    EXPECT_TRUE(std::equal(part.begin(), part.end(), whole.begin() + first)) << first;
  }
}

TEST(Normal, HasTheMomentsOfANormalDistribution) {
  std::vector<float> x(1 << 20);
  normal_numbers(1, 0, 0, x);
  double mean = 0, square = 0, fourth = 0, neighbours = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    const double v = static_cast<double>(x[i]);
    mean += v;
    square += v * v;
    fourth += v * v * v * v;
    neighbours += i > 0 ? v * static_cast<double>(x[i - 1]) : 0;
  }
  const double n = static_cast<double>(x.size());
  // Five standard errors each.
  EXPECT_NEAR(mean / n, 0, 0.005);
  EXPECT_NEAR(square / n, 1, 0.007);
  EXPECT_NEAR(fourth / n, 3, 0.05);
  EXPECT_NEAR(neighbours / n, 0, 0.005);
}

TEST(Normal, SeedsAndTensorsDiffer) {
  std::vector<float> a(8), b(8), c(8);
  normal_numbers(1, 0, 0, a);
  normal_numbers(2, 0, 0, b);
  normal_numbers(1, 1, 0, c);
  EXPECT_NE(a, b);
  EXPECT_NE(a, c);
  EXPECT_NE(b, c);
}

TEST(Initial, ValuesHaveGpt2sDeviationsForAnyNumberOfThreads) {
  const StepConfig config{
      .model = {.name = "wide", .layers = 8, .hidden = 640, .heads = 8, .seq = 16, .vocab = 200}};
  const ParameterTable table(config, 0);
  const auto deviation = [&](const char* name, int threads) {
    const Parameter& p = table.find(name);
    std::vector<float> x(static_cast<size_t>(p.size()));
    initial_values(p, 3, config.model.layers, threads, x);
    double sum = 0;
    for (const float v : x) sum += static_cast<double>(v) * static_cast<double>(v);
    return std::sqrt(sum / static_cast<double>(p.true_rows() * p.cols));
  };
  EXPECT_NEAR(deviation("h.1.mlp.c_fc.weight", 1), 0.02, 2e-4);
  EXPECT_NEAR(deviation("wte.weight", 1), 0.02, 2e-4);
  EXPECT_NEAR(deviation("h.1.mlp.c_proj.weight", 1), 0.005, 5e-5);
  EXPECT_EQ(deviation("h.1.mlp.c_fc.weight", 3), deviation("h.1.mlp.c_fc.weight", 1));
  EXPECT_EQ(deviation("h.1.ln_1.weight", 1), 1);
  EXPECT_EQ(deviation("h.1.attn.c_proj.bias", 1), 0);
}

}  // namespace
}  // namespace bench::gpt2
