#pragma once
// How the learning rate goes over a training run: up in a line, down in a line or half a cosine,
// then constant, as Megatron-LM's options --lr-warmup-iters, --lr-decay-style, --lr-decay-iters and
// --min-lr say it.

#include <cstdint>
#include <string_view>

namespace bench::gpt2 {

enum class LearningRateDecay { constant, linear, cosine };

const char* name_of(LearningRateDecay d);
// Throws UsageError for any other text than the names.
LearningRateDecay parse_decay(std::string_view text);

struct LearningRateSchedule {
  LearningRateDecay decay = LearningRateDecay::constant;
  int64_t warmup_steps = 0;  // the last of them has the highest rate
  int64_t decay_steps = 0;   // counted from the first step; from then on the lowest rate
  double lowest = 0;

  // Of the update `step`, 1 for the first.
  double at(double highest, int64_t step) const;
  // Throws UsageError that names the numbers that do not fit together.
  void validate(double highest) const;
};

}  // namespace bench::gpt2
