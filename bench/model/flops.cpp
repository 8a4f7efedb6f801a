#include "bench/model/model.h"

namespace bench::model {

int64_t padded_vocab(int64_t vocab, int64_t tensor_parallel) {
  const int64_t multiple = 128 * tensor_parallel;
  return (vocab + multiple - 1) / multiple * multiple;
}

int64_t parameter_count(const ModelConfig& m) {
  const int64_t h = m.hidden;
  // QKV, projection, FC1, FC2: 12 h^2 weights and 9 h biases; two norms: 4 h.
  const int64_t layer = 12 * h * h + 13 * h;
  return m.layers * layer + (m.vocab + m.seq) * h + 2 * h;
}

double parameter_formula(const ModelConfig& m, int64_t padded) {
  const double l = static_cast<double>(m.layers), h = static_cast<double>(m.hidden);
  const double s = static_cast<double>(m.seq), v = static_cast<double>(padded);
  return 12 * l * h * h * (1 + 13 / (12 * h) + (v + s) / (12 * l * h));
}

StepFlops step_flops(const ModelConfig& m, int64_t batch, int64_t padded) {
  const double l = static_cast<double>(m.layers), h = static_cast<double>(m.hidden);
  const double s = static_cast<double>(m.seq), v = static_cast<double>(padded);
  const double bslh2 = static_cast<double>(batch) * s * l * h * h;
  const double head = v / (12 * l * h);
  return {.model = 72 * bslh2 * (1 + s / (6 * h) + head),
          .model_causal = 72 * bslh2 * (1 + s / (12 * h) + head),
          .hardware_full_recompute = 96 * bslh2 * (1 + s / (6 * h) + v / (16 * l * h)),
          .hardware_selective = 72 * bslh2 * (1 + s / (3 * h) + head)};
}

}  // namespace bench::model
