#include "parallel/gpt2/initialise.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <thread>
#include <vector>

#include "parallel/gpt2/counter_random.h"

namespace bench::gpt2 {
namespace {

struct NormalPair {
  float even, odd;
};

// Box and Muller 1958, one counter a pair.
NormalPair normal_pair(uint64_t key, uint64_t pair) {
  const uint64_t bits = random_bits(key, pair);
  constexpr float kUnit = 1.0F / 4294967296.0F;
  // 1 - u lies in (0, 1], so the logarithm is finite.
  const float u = 1.0F - static_cast<float>(bits >> 40) * (1.0F / 16777216.0F);
  const float angle =
      2 * std::numbers::pi_v<float> * static_cast<float>(bits & 0xffffffffU) * kUnit;
  const float radius = std::sqrt(-2.0F * std::log(u));
  return {.even = radius * std::cos(angle), .odd = radius * std::sin(angle)};
}

void fill_rows(const Parameter& p, uint64_t seed, float scale, int64_t from, int64_t to,
               std::span<float> out) {
  for (int64_t r = from; r < to; ++r) {
    const auto row = out.subspan(static_cast<size_t>(r * p.cols), static_cast<size_t>(p.cols));
    if (r >= p.true_rows()) {
      std::fill(row.begin(), row.end(), 0.0F);
      continue;
    }
    normal_numbers(seed, p.index, (p.first_row + r) * p.full_cols + p.first_col, row);
    for (float& value : row) value *= scale;
  }
}

}  // namespace

void normal_numbers(uint64_t seed, uint64_t index, int64_t first, std::span<float> out) {
  const uint64_t key = random_bits(random_bits(seed, 0), index);
  auto at = static_cast<uint64_t>(first);
  size_t i = 0;
  if (at % 2 == 1 && !out.empty()) {
    out[i++] = normal_pair(key, at / 2).odd;
    ++at;
  }
  for (; i + 1 < out.size(); i += 2, at += 2) {
    const NormalPair pair = normal_pair(key, at / 2);
    out[i] = pair.even;
    out[i + 1] = pair.odd;
  }
  if (i < out.size()) out[i] = normal_pair(key, at / 2).even;
}

void initial_values(const Parameter& p, uint64_t seed, int64_t layers, int threads,
                    std::span<float> out) {
  if (p.init == Init::zeros || p.init == Init::ones) {
    std::fill(out.begin(), out.end(), p.init == Init::ones ? 1.0F : 0.0F);
    return;
  }
  double deviation = 0.02;
  if (p.init == Init::residual_normal) deviation /= std::sqrt(2.0 * static_cast<double>(layers));
  const auto scale = static_cast<float>(deviation);

  constexpr int64_t kWorthAThread = 1 << 18;  // elements: below, starting a thread costs more
  const int64_t parts = std::clamp<int64_t>(p.size() / kWorthAThread, 1, std::max(threads, 1));
  std::vector<std::jthread> helpers;
  for (int64_t i = 1; i < parts; ++i) {
    helpers.emplace_back(
        [=, &p] { fill_rows(p, seed, scale, p.rows * i / parts, p.rows * (i + 1) / parts, out); });
  }
  fill_rows(p, seed, scale, 0, p.rows / parts, out);
}

}  // namespace bench::gpt2
