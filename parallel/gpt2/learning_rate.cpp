#include "parallel/gpt2/learning_rate.h"

#include <fmt/format.h>

#include <cmath>
#include <numbers>

#include "bench/base/status.h"

namespace bench::gpt2 {

const char* name_of(LearningRateDecay d) {
  switch (d) {
    case LearningRateDecay::constant: return "constant";
    case LearningRateDecay::linear: return "linear";
    case LearningRateDecay::cosine: return "cosine";
  }
  return "";
}

LearningRateDecay parse_decay(std::string_view text) {
  for (const auto d :
       {LearningRateDecay::constant, LearningRateDecay::linear, LearningRateDecay::cosine})
    if (text == name_of(d)) return d;
  throw UsageError(fmt::format("lr-decay-style '{}': there is constant, linear, cosine", text));
}

double LearningRateSchedule::at(double highest, int64_t step) const {
  if (step < warmup_steps)
    return highest * static_cast<double>(step) / static_cast<double>(warmup_steps);
  if (decay == LearningRateDecay::constant) return highest;
  if (step >= decay_steps) return lowest;
  const double gone =
      static_cast<double>(step - warmup_steps) / static_cast<double>(decay_steps - warmup_steps);
  const double left =
      decay == LearningRateDecay::linear ? 1 - gone : 0.5 * (1 + std::cos(std::numbers::pi * gone));
  return lowest + left * (highest - lowest);
}

void LearningRateSchedule::validate(double highest) const {
  if (warmup_steps < 0 || decay_steps < 0)
    throw UsageError(fmt::format("lr-warmup-steps {} and lr-decay-steps {} must not be negative",
                                 warmup_steps, decay_steps));
  if (!std::isfinite(lowest) || lowest < 0 || lowest > highest)
    throw UsageError(
        fmt::format("min-lr {} must lie between 0 and the learning rate {}", lowest, highest));
  if (decay == LearningRateDecay::constant) {
    if (decay_steps > 0 || lowest > 0)
      throw UsageError(
          "lr-decay-steps and min-lr are for a rate that decays: choose lr-decay-style linear or "
          "cosine");
    return;
  }
  if (decay_steps <= warmup_steps)
    throw UsageError(
        fmt::format("lr-decay-style {}: lr-decay-steps {} must be more than lr-warmup-steps {}",
                    name_of(decay), decay_steps, warmup_steps));
}

}  // namespace bench::gpt2
