#pragma once
// Hugging Face's GPT-2 weights in this project's layout. Theirs: linear weights [in, out], QKV
// columns [3, heads, d], optional prefix "transformer."; a longer position table than the model's
// seq is cut.

#include <string>
#include <vector>

#include "parallel/gpt2/parameters.h"
#include "parallel/gpt2/safetensors.h"

namespace bench::gpt2 {

// [in, out] for linear weights.
std::vector<int64_t> hf_shape(const Parameter& p);

// Ours, the full tensor, to theirs: what HfWeights::read does, the other way.
std::vector<float> to_hf(const Parameter& p, const model::ModelConfig& model,
                         std::vector<float> ours);

class HfWeights {
 public:
  // Throws UsageError that names the first tensor, in the model's order, that is missing or has
  // another shape, or a tensor of a layer which the model does not have. The arguments outlive
  // this.
  HfWeights(const Safetensors& file, const model::ModelConfig& model, const ParameterTable& table);

  // The full tensor, [full_rows, full_cols].
  std::vector<float> read(const Parameter& p) const;

 private:
  void check(const Parameter& p) const;
  void refuse_further_layers() const;

  const Safetensors& file_;
  const model::ModelConfig& model_;
  std::string prefix_;
};

}  // namespace bench::gpt2
