#include "bench/model/presets.h"

namespace bench::model {
namespace {

// gpt2-*: Radford 2019, counted as their published weights are. megatron-*: Shoeybi 2019 (arXiv
// 1909.08053), table 1: head size 96, for 1, 2, 4 and 8 tensor-parallel GPUs. megatron-mini-*: the
// same series for CPU ranks: an eighth of its hidden size, layers, sequence and vocabulary, half
// its heads, head size 24.
constexpr Preset kPresets[] = {
    {"gpt2-124m", 12, 768, 12, 1024, 50257},      {"gpt2-345m", 24, 1024, 16, 1024, 50257},
    {"gpt2-774m", 36, 1280, 20, 1024, 50257},     {"gpt2-1558m", 48, 1600, 25, 1024, 50257},
    {"megatron-1.2b", 40, 1536, 16, 1024, 50257}, {"megatron-2.5b", 54, 1920, 20, 1024, 50257},
    {"megatron-4.2b", 64, 2304, 24, 1024, 50257}, {"megatron-8.3b", 72, 3072, 32, 1024, 50257},
    {"megatron-mini-mp1", 5, 192, 8, 128, 6282},  {"megatron-mini-mp2", 7, 240, 10, 128, 6282},
    {"megatron-mini-mp4", 8, 288, 12, 128, 6282}, {"megatron-mini-mp8", 9, 384, 16, 128, 6282},
};

}  // namespace

std::span<const Preset> presets() { return kPresets; }

std::vector<std::string> preset_names() {
  std::vector<std::string> names;
  for (const Preset& p : kPresets) names.emplace_back(p.name);
  return names;
}

}  // namespace bench::model
