#include "parallel/gpt2/work.h"

namespace bench::gpt2 {

double executed_flops(const StepConfig& config) {
  const RankShape s = rank_shape(config, 0);
  const auto d = [](int64_t x) { return static_cast<double>(x); };
  const double n = d(s.n), h = d(s.h), part = d(s.h_part);
  const double qkv = 2 * n * h * 3 * part, projection = 2 * n * part * h;
  const double mlp = 2 * 2 * n * h * d(s.ff);
  // Scores and their product with the values, 2 n s (h/p) each, half of them masked.
  const double attention = 2 * n * d(s.seq) * part;
  const double head = 2 * n * h * d(s.vocab.rows);
  const double layer = qkv + projection + mlp + attention;
  const double recomputed = config.recompute == Recompute::full        ? layer
                            : config.recompute == Recompute::selective ? attention
                                                                       : 0;
  // Backward takes every product twice: once for the input, once for the weight (attention: both
  // inputs).
  const double micro = d(config.model.layers) * (3 * layer + recomputed) + 3 * head;
  return micro * d(config.batch().accumulation()) / config.pp;
}

double optimizer_bytes(int64_t parameters, int64_t element_bytes) {
  return 7.0 * static_cast<double>(parameters) * static_cast<double>(element_bytes);
}

}  // namespace bench::gpt2
