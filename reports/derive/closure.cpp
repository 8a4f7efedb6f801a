#include "reports/derive/closure.h"

#include <algorithm>

#include "reports/derive/params.h"
#include "reports/derive/rounds.h"
#include "reports/derive/step_model.h"

namespace bench::reports {
namespace {

using schema::CaseResult;
using schema::Closure;
using schema::Number;

// What does not make a kernel another part of the step.
constexpr std::string_view kOwn[] = {"variant", "arithmetic", "mode", "per_step"};

bool agrees(const CaseResult& kernel, const char* param, const Number& step) {
  const Number mine = number_param(kernel, param);
  return !mine || !step || *mine == *step;
}

bool is_part(const CaseResult& kernel, const CaseResult& step) {
  if (!(number_param(kernel, "per_step").value_or(0) > 0) || is_cold(kernel)) return false;
  if (kernel.ranks != step.ranks || kernel.dtype != step.dtype ||
      text_param(kernel, "model") != text_param(step, "model"))
    return false;
  const Number batch = number_param(step, "micro_batch"), seq = number_param(step, "seq");
  const Number rows = batch && seq ? Number(*batch * *seq) : Number();
  return agrees(kernel, "m", rows) && agrees(kernel, "batch", batch) &&
         agrees(kernel, "micro_batch", batch) && agrees(kernel, "seq", seq) &&
         agrees(kernel, "heads", number_param(step, "heads")) &&
         agrees(kernel, "h", number_param(step, "hidden"));
}

// Whether the step says that it ran this variant of the kernel's op: "flash", or of several ops
// "attention=flash linear=packed".
bool chosen(const CaseResult& kernel, const CaseResult& step) {
  const std::string variant = text_param(kernel, "variant"), said = text_param(step, "variant");
  if (variant.empty() || said.empty()) return variant.empty();
  const std::string full = " " + text_param(kernel, "op") + "=" + variant + " ";
  return said == variant || (" " + said + " ").find(full) != std::string::npos;
}

// Kernels are timed for one micro-batch: a step of several takes most of them several times.
bool accumulates(const CaseResult& step) {
  const Number micro = number_param(step, "micro_batch"),
               global = number_param(step, "global_batch");
  return micro && global && *global > *micro * std::max(step.layout.dp, 1);
}

bool recomputes(const CaseResult& step) {
  const std::string said = text_param(step, "recompute");
  return !said.empty() && said != "none";
}

// Of the cases that are one and the same kernel, the one that stands for it: what the step chose,
// else the first, as a run without a choice plans its default.
std::vector<const CaseResult*> parts_of(const CaseResult& step, const schema::Report& report) {
  std::vector<const CaseResult*> parts;
  for (const CaseResult& c : report.cases) {
    if (!is_part(c, step)) continue;
    const auto same = std::find_if(parts.begin(), parts.end(), [&](const CaseResult* p) {
      return p->name == c.name && params_without(p->params, kOwn) == params_without(c.params, kOwn);
    });
    if (same == parts.end())
      parts.push_back(&c);
    else if (!chosen(**same, step) && chosen(c, step))
      *same = &c;
  }
  return parts;
}

ByRound totals_by_round(const CaseResult& kernel) {
  ByRound totals = times_by_round(kernel);
  for (auto& [round, seconds] : totals) seconds *= *number_param(kernel, "per_step");
  return totals;
}

// a + factor * b, in each round that has both.
ByRound sum(const ByRound& a, double factor, const ByRound& b) {
  ByRound found;
  for (const auto& [round, figure] : a)
    if (const auto other = b.find(round); other != b.end())
      found[round] = figure + factor * other->second;
  return found;
}

schema::ClosurePart part_of(const CaseResult& kernel, const ByRound& step) {
  const ByRound totals = totals_by_round(kernel);
  return {.case_name = kernel.name,
          .params = kernel.params,
          .per_step = *number_param(kernel, "per_step"),
          .time_s = over_rounds(times_by_round(kernel)).median,
          .total_s = over_rounds(totals).median,
          .fraction = ratio_over_rounds(totals, step).median};
}

Closure closure_of(const CaseResult& step, const std::vector<const CaseResult*>& kernels) {
  const ByRound step_times = times_by_round(step);
  Closure closure;
  closure.case_name = step.name;
  closure.dtype = step.dtype;
  closure.model = text_param(step, "model");
  closure.ranks = step.ranks;
  closure.step_s = over_rounds(step_times).median;
  ByRound total;
  for (const auto& [round, seconds] : step_times) total[round] = 0;
  for (const CaseResult* kernel : kernels) {
    if (kernel->outcome != schema::Outcome::measured) {
      closure.missing.push_back(kernel->name);
      continue;
    }
    closure.parts.push_back(part_of(*kernel, step_times));
    total = sum(total, 1, totals_by_round(*kernel));
  }
  if (closure.parts.empty()) return closure;
  const OverRounds fraction = ratio_over_rounds(total, step_times);
  closure.kernels_s = over_rounds(total).median;
  closure.kernels_fraction = fraction.median;
  closure.kernels_fraction_over_rounds = fraction.range;
  closure.remainder_s = over_rounds(sum(step_times, -1, total)).median;
  return closure;
}

}  // namespace

std::vector<Closure> derive_closure(const schema::Report& report) {
  std::vector<Closure> found;
  for (const CaseResult& c : report.cases) {
    if (c.outcome != schema::Outcome::measured || c.layout.tp != 1 || c.layout.pp != 1 ||
        accumulates(c) || recomputes(c) || training_of(report, c) == nullptr)
      continue;
    const std::vector<const CaseResult*> kernels = parts_of(c, report);
    if (!kernels.empty()) found.push_back(closure_of(c, kernels));
  }
  return found;
}

}  // namespace bench::reports
