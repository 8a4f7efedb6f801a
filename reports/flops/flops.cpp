#include "reports/flops/flops.h"

#include <fmt/format.h>

#include <cmath>

#include "bench/base/status.h"
#include "reports/derive/step_model.h"

namespace bench::reports {
namespace {

void check(const FlopsInput& input, const char* which) {
  const auto reject = [&](const char* option, const std::string& found) {
    throw UsageError(fmt::format("--{}{} must be a positive number, not {}", which, option, found));
  };
  if (input.batch < 1) reject("batch", std::to_string(input.batch));
  if (input.gpus < 1) reject("gpus", std::to_string(input.gpus));
  if (!(std::isfinite(input.step_seconds) && input.step_seconds > 0))
    reject("step-seconds", fmt::format("{}", input.step_seconds));
}

model::StepFlops scaled(const model::StepFlops& f, double by) {
  return {.model = f.model * by,
          .model_causal = f.model_causal * by,
          .hardware_full_recompute = f.hardware_full_recompute * by,
          .hardware_selective = f.hardware_selective * by};
}

// Everything but the efficiencies, which need two of these.
FlopsResult alone(const FlopsInput& input) {
  const double batch = static_cast<double>(input.batch), seq = static_cast<double>(input.model.seq);
  const double gpu_seconds = static_cast<double>(input.gpus) * input.step_seconds;
  FlopsResult r{.input = input, .baseline = {}, .efficiency = {}};
  r.padded_vocab = model::padded_vocab(input.model.vocab, 1);
  r.parameters = model::parameter_count(input.model);
  r.parameters_by_formula = model::parameter_formula(input.model, r.padded_vocab);
  r.flops_per_step = model::step_flops(input.model, input.batch, r.padded_vocab);
  r.tflops_per_gpu = scaled(r.flops_per_step, 1e-12 / gpu_seconds);
  r.tokens_per_s = batch * seq / input.step_seconds;
  return r;
}

// Sequences of one GPU in a second.
double sequence_rate(const FlopsInput& f) {
  return static_cast<double>(f.batch) / (static_cast<double>(f.gpus) * f.step_seconds);
}

FlopsResult::Efficiencies against(const FlopsResult& here, const FlopsResult& base) {
  const double rate = sequence_rate(here.input) / sequence_rate(base.input);
  FlopsResult::Efficiencies e{
      .flops =
          here.tflops_per_gpu.hardware_full_recompute / base.tflops_per_gpu.hardware_full_recompute,
      .parameters = rate * here.parameters_by_formula / base.parameters_by_formula,
      .time = {},
      .time_why_not = {}};
  if (same_model(here.input.model, base.input.model))
    e.time = rate;  // T_1/T_n in the weak form, speed-up / n in the strong one
  else
    e.time_why_not = "the models differ: their times are not of the same work";
  return e;
}

}  // namespace

FlopsResult compute_flops(const FlopsInput& input, const std::optional<FlopsInput>& baseline) {
  check(input, "");
  FlopsResult result = alone(input);
  if (!baseline) return result;
  check(*baseline, "baseline-");
  result.baseline = baseline;
  result.efficiency = against(result, alone(*baseline));
  return result;
}

}  // namespace bench::reports
