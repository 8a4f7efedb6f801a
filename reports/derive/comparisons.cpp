#include "reports/derive/comparisons.h"

#include <algorithm>

#include "reports/derive/params.h"
#include "reports/derive/rounds.h"

namespace bench::reports {
namespace {

using schema::CaseResult;
using schema::Outcome;

// What may differ between cases that are compared.
constexpr std::string_view kOwn[] = {"variant",   "arithmetic",   "per_step",
                                     "allocator", "accumulation", "proof"};

bool comparable(const CaseResult& a, const CaseResult& b) {
  return a.name == b.name && a.plugin == b.plugin && a.suite == b.suite && a.dtype == b.dtype &&
         a.ranks == b.ranks && a.scaling_point == b.scaling_point &&
         params_without(a.params, kOwn) == params_without(b.params, kOwn);
}

schema::Comparison compare(const std::vector<const CaseResult*>& cases) {
  const auto measured = std::find_if(cases.begin(), cases.end(), [](const CaseResult* c) {
    return c->outcome == Outcome::measured;
  });
  const CaseResult& baseline = measured == cases.end() ? *cases.front() : **measured;
  schema::Comparison found{.name = baseline.name,
                           .dtype = baseline.dtype,
                           .ranks = baseline.ranks,
                           .params = params_without(baseline.params, kOwn),
                           .baseline_variant = variant_of(baseline),
                           .variants = {}};
  for (const CaseResult* c : cases) {
    schema::ComparedVariant one{
        .variant = variant_of(*c), .outcome = c->outcome, .time_s = {}, .ratio = {}};
    if (c->time_s) one.time_s = c->time_s->median;
    const OverRounds ratio = ratio_over_rounds(times_by_round(baseline), times_by_round(*c));
    if (ratio.median)
      one.ratio = {.median = *ratio.median, .low = ratio.range.low, .high = ratio.range.high};
    found.variants.push_back(std::move(one));
  }
  return found;
}

}  // namespace

std::vector<schema::Comparison> derive_comparisons(const schema::Report& report) {
  std::vector<std::vector<const CaseResult*>> sets;
  for (const CaseResult& c : report.cases) {
    const auto set = std::find_if(sets.begin(), sets.end(),
                                  [&](const auto& cases) { return comparable(*cases.front(), c); });
    if (set == sets.end())
      sets.push_back({&c});
    else
      set->push_back(&c);
  }
  std::vector<schema::Comparison> found;
  for (const auto& cases : sets)
    if (cases.size() > 1) found.push_back(compare(cases));
  return found;
}

}  // namespace bench::reports
