#pragma once
// A GPT-2-shaped model as numbers: presets, parameter counts and the published FLOP formulas. Pure
// arithmetic, used by the training step, by the suites and by the reports alike.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace bench::model {

struct ModelConfig {
  std::string name;  // the preset's, or made from the numbers: l4-h256-a4-s128-v1000
  int64_t layers = 0;
  int64_t hidden = 0;
  int64_t heads = 0;
  int64_t seq = 0;
  int64_t vocab = 0;  // true size; see padded_vocab
};

// A preset's name or "layers=…,hidden=…,heads=…,seq=…,vocab=…" (all five, or a preset's name
// followed by overrides: "gpt2-124m,seq=256"). Throws UsageError that names the thing and lists the
// presets.
ModelConfig parse_model(std::string_view text);

std::vector<std::string> preset_names();

// The vocabulary rounded up to a multiple of 128 * tensor-parallel ranks, as Megatron-LM pads it.
int64_t padded_vocab(int64_t vocab, int64_t tensor_parallel);

// Exact number of parameters: tied embedding once, final norm included, no padding. gpt2-124m: 124
// 439 808.
int64_t parameter_count(const ModelConfig& m);

// P = 12 l h^2 (1 + 13/(12h) + (V+s)/(12 l h)) with padded V: the formula of the published tables.
double parameter_formula(const ModelConfig& m, int64_t padded);

// Floating-point operations of one optimizer step over `batch` sequences, all ranks together. A
// GEMM m×n×k counts 2mnk; norms, softmax, GELU and the optimizer count nothing.
struct StepFlops {
  double model;                    // 72 B s l h^2 (1 + s/(6h) + V/(12 l h))
  double model_causal;             // 72 B s l h^2 (1 + s/(12h) + V/(12 l h))
  double hardware_full_recompute;  // 96 B s l h^2 (1 + s/(6h) + V/(16 l h)) (Narayanan 2021, eq. 2)
  double hardware_selective;  // 72 B s l h^2 (1 + s/(3h) + V/(12 l h)) (Korthikanti 2022, eq. 8)
};
StepFlops step_flops(const ModelConfig& m, int64_t batch, int64_t padded);

}  // namespace bench::model
