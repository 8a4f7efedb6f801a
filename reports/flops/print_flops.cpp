// What `bench flops` prints.
#include <fmt/format.h>

#include <array>
#include <nlohmann/json.hpp>

#include "reports/flops/flops.h"

namespace bench::reports {
namespace {

using Json = nlohmann::ordered_json;
using model::StepFlops;

struct Formula {
  const char* name;
  double StepFlops::*value;
};
constexpr std::array<Formula, 4> kFormulas = {
    {{"model", &StepFlops::model},
     {"model_causal", &StepFlops::model_causal},
     {"hardware_full_recompute", &StepFlops::hardware_full_recompute},
     {"hardware_selective", &StepFlops::hardware_selective}}};

Json by_formula(const StepFlops& flops) {
  Json json;
  for (const Formula& f : kFormulas) json[f.name] = flops.*(f.value);
  return json;
}

Json model_json(const FlopsResult& r) {
  const model::ModelConfig& m = r.input.model;
  return {{"name", m.name},
          {"layers", m.layers},
          {"hidden", m.hidden},
          {"heads", m.heads},
          {"seq", m.seq},
          {"vocab", m.vocab},
          {"padded_vocab", r.padded_vocab},
          {"parameters", r.parameters},
          {"parameters_by_formula", r.parameters_by_formula}};
}

Json efficiency_json(const FlopsResult::Efficiencies& e) {
  Json json{{"flops", e.flops}, {"parameters", e.parameters}, {"time", nullptr}};
  if (e.time)
    json["time"] = *e.time;
  else
    json["time_why_not"] = e.time_why_not;
  return json;
}

std::string step_text(const FlopsInput& input) {
  return fmt::format("{}, batch {}, {} GPU{}, {} s a step", input.model.name, input.batch,
                     input.gpus, input.gpus == 1 ? "" : "s", input.step_seconds);
}

std::string efficiency_text(const FlopsResult& r) {
  const FlopsResult::Efficiencies& e = *r.efficiency;
  std::string text = fmt::format("\nscaling efficiency against {}\n", step_text(*r.baseline));
  text += fmt::format("  {:<11}{:6.1f} %  hardware_full_recompute FLOP/s per GPU\n", "flops",
                      100 * e.flops);
  text += fmt::format("  {:<11}{:6.1f} %  parameters x sequences per GPU and second\n",
                      "parameters", 100 * e.parameters);
  return text + (e.time ? fmt::format("  {:<11}{:6.1f} %  sequences per GPU and second\n", "time",
                                      100 * *e.time)
                        : fmt::format("  {:<11}     -    {}\n", "time", e.time_why_not));
}

}  // namespace

std::string flops_text(const FlopsResult& r) {
  const model::ModelConfig& m = r.input.model;
  std::string text = fmt::format(
      "{}\n"
      "  {} layers, hidden {}, {} heads, {} tokens a sequence, vocabulary {} padded to {}\n"
      "  {} parameters ({:.4g} B by the formula of the published tables)\n"
      "  {:.1f} tokens/s\n\n"
      "{:<26}{:>13}{:>17}\n",
      step_text(r.input), m.layers, m.hidden, m.heads, m.seq, m.vocab, r.padded_vocab, r.parameters,
      r.parameters_by_formula / 1e9, r.tokens_per_s, "formula", "FLOPs a step", "TFLOP/s per GPU");
  for (const Formula& f : kFormulas)
    text += fmt::format("{:<26}{:>13.4e}{:>17.3f}\n", f.name, r.flops_per_step.*(f.value),
                        r.tflops_per_gpu.*(f.value));
  return r.efficiency ? text + efficiency_text(r) : text;
}

std::string flops_json(const FlopsResult& r) {
  Json json{{"model", model_json(r)},
            {"batch", r.input.batch},
            {"gpus", r.input.gpus},
            {"step_seconds", r.input.step_seconds},
            {"flops_per_step", by_formula(r.flops_per_step)},
            {"tflops_per_gpu", by_formula(r.tflops_per_gpu)},
            {"tokens_per_s", r.tokens_per_s}};
  if (r.efficiency) json["efficiency"] = efficiency_json(*r.efficiency);
  return json.dump(2) + "\n";
}

}  // namespace bench::reports
