#pragma once
// What a training case computes a step, from the facts its plugin gave.

#include <optional>
#include <string>

#include "bench/model/model.h"
#include "reports/schema/report.h"

namespace bench::reports {

struct StepModel {
  model::ModelConfig config;
  int64_t padded_vocab = 0;
  double batch = 0;               // sequences of a step, all ranks
  double parameters = 0;          // exact
  double parameters_formula = 0;  // of the published tables
  model::StepFlops flops{};       // of a step, all ranks
  std::string recompute;          // none, selective, full; "" where the case does not say
};

// The case of a point of a curve: by the point's id where there is one, else by name and ranks; or
// nullptr.
const schema::CaseResult* find_case(const schema::Report& report, const std::string& scaling_point,
                                    const std::string& name, int ranks);

// The training facts of a case, or nullptr.
const schema::TrainingRun* training_of(const schema::Report& report,
                                       const schema::CaseResult& result);

// Empty where the case has no training facts, or incomplete ones.
std::optional<StepModel> step_model_of(const schema::Report& report,
                                       const schema::CaseResult& result);

bool same_model(const model::ModelConfig& a, const model::ModelConfig& b);  // but for the name

}  // namespace bench::reports
