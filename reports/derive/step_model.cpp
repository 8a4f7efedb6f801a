#include "reports/derive/step_model.h"

#include <algorithm>
#include <cmath>

#include "reports/derive/params.h"

namespace bench::reports {
namespace {

using schema::CaseResult;
using schema::TrainingRun;

// How sure it is that these facts are of this case; 0: they are not.
int match(const TrainingRun& run, const CaseResult& c) {
  if (!run.scaling_point.empty()) return run.scaling_point == c.scaling_point ? 3 : 0;
  if (run.case_name != c.name || run.ranks != c.ranks) return 0;
  return text_param(c, "model") == run.model_name ? 2 : 1;
}

}  // namespace

const CaseResult* find_case(const schema::Report& report, const std::string& scaling_point,
                            const std::string& name, int ranks) {
  const auto at = std::find_if(report.cases.begin(), report.cases.end(), [&](const CaseResult& c) {
    if (!scaling_point.empty() && !c.scaling_point.empty()) return c.scaling_point == scaling_point;
    return c.name == name && c.ranks == ranks;
  });
  return at == report.cases.end() ? nullptr : &*at;
}

const TrainingRun* training_of(const schema::Report& report, const CaseResult& result) {
  const TrainingRun* best = nullptr;
  int best_match = 0;
  for (const TrainingRun& run : report.training)
    if (const int m = match(run, result); m > best_match) {
      best = &run;
      best_match = m;
    }
  return best;
}

std::optional<StepModel> step_model_of(const schema::Report& report, const CaseResult& result) {
  const TrainingRun* run = training_of(report, result);
  if (run == nullptr) return std::nullopt;
  bool known = true;
  const auto fact = [&](const char* key) {
    const auto found = run->model.find(key);
    known &= found != run->model.end() && found->second > 0;
    return known ? static_cast<int64_t>(std::llround(found->second)) : 0;
  };
  StepModel step;
  step.config = {.name = run->model_name,
                 .layers = fact("layers"),
                 .hidden = fact("hidden"),
                 .heads = fact("heads"),
                 .seq = fact("seq"),
                 .vocab = fact("vocab")};
  step.padded_vocab = fact("padded_vocab");
  const int64_t batch = fact("global_batch");
  if (!known) return std::nullopt;
  step.batch = static_cast<double>(batch);
  step.parameters = static_cast<double>(run->parameters);
  step.parameters_formula = model::parameter_formula(step.config, step.padded_vocab);
  step.flops = model::step_flops(step.config, batch, step.padded_vocab);
  step.recompute = text_param(result, "recompute");
  return step;
}

bool same_model(const model::ModelConfig& a, const model::ModelConfig& b) {
  return a.layers == b.layers && a.hidden == b.hidden && a.heads == b.heads && a.seq == b.seq &&
         a.vocab == b.vocab;
}

}  // namespace bench::reports
