#pragma once
// The arithmetic of `bench flops`: FLOPs by every formula, TFLOP/s per GPU and the three
// efficiencies.

#include <cstdint>
#include <optional>
#include <string>

#include "bench/model/model.h"
#include "reports/schema/report.h"

namespace bench::reports {

struct FlopsInput {
  model::ModelConfig model;
  int64_t batch = 0;  // sequences of a step, all GPUs
  int64_t gpus = 0;
  double step_seconds = 0;
};

struct FlopsResult {
  FlopsInput input;
  std::optional<FlopsInput> baseline;
  int64_t padded_vocab = 0;  // to a multiple of 128: no tensor-parallel layout is known here
  int64_t parameters = 0;    // exact
  double parameters_by_formula = 0;  // of the published tables
  model::StepFlops flops_per_step{};
  model::StepFlops tflops_per_gpu{};
  double tokens_per_s = 0;
  struct Efficiencies {
    double flops = 0, parameters = 0;
    schema::Number time;  // same model only
    std::string time_why_not;
  };
  std::optional<Efficiencies> efficiency;  // with a baseline
};

// Throws UsageError where a number is not positive and finite.
FlopsResult compute_flops(const FlopsInput& input, const std::optional<FlopsInput>& baseline = {});

std::string flops_text(const FlopsResult& result);
std::string flops_json(const FlopsResult& result);

}  // namespace bench::reports
