#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>

#include "reports/reference/references.h"
#include "reports/require/fields.h"
#include "reports/require/require.h"
#include "reports/schema/outcome.h"

namespace bench::reports {
namespace {

using schema::Number;
using schema::Report;

// A figure of the run, or why there is none to judge by.
struct Figure {
  Number value;
  std::string note;  // where it is from, or why it is missing
};

Figure missing(std::string why) { return {.value = {}, .note = std::move(why)}; }

Figure checked(const Number& value, std::string note, const std::string& why_missing) {
  if (!value || !std::isfinite(*value)) return missing(why_missing);
  return {.value = value, .note = std::move(note)};
}

Figure of_point(const Requirement& r, const schema::ScalingPoint& point) {
  const std::string at = fmt::format("at {} rank{}", point.ranks, point.ranks == 1 ? "" : "s");
  if (!point.comparable) return missing(fmt::format("{}: {}", at, point.why_not));
  std::string why = fmt::format("{}: there is no such figure", at);
  if (r.field == "efficiency.time" && !point.efficiency.time_why_not.empty())
    why = fmt::format("{}: {}", at, point.efficiency.time_why_not);
  return checked(find_field(point_fields(), r.field)->read(point), at, why);
}

Figure of_largest(const Requirement& r, const Report& report) {
  const schema::ScalingPoint* point = largest_point(report);
  if (point == nullptr) return missing("the run has no weak-scaling curve");
  if (point->ranks < 2 && r.field.starts_with("efficiency."))
    return missing("one rank does not scale; run with at least two");
  return of_point(r, *point);
}

Figure of_asked_point(const Requirement& r, const Report& report) {
  if (report.scaling)
    for (const schema::ScalingPoint& point : report.scaling->points)
      if (point.ranks == r.ranks) return of_point(r, point);
  return missing(fmt::format("the run has no weak-scaling point of {} ranks", r.ranks));
}

Figure of_reference(const Requirement& r, const Report& report) {
  for (const schema::Reference& reference : report.references) {
    if (reference.id != r.name) continue;
    if (!reference.comparable) return missing(fmt::format("not comparable: {}", reference.why_not));
    return checked(reference.ratio, "", "nothing was measured");
  }
  return missing("the report lacks this reference");
}

Figure of_case(const Requirement& r, const schema::CaseResult& c) {
  if (c.outcome != schema::Outcome::measured)
    return missing(fmt::format("the case was not measured ({}): {}", name_of(c.outcome), c.reason));
  return checked(find_field(case_fields(), r.field)->read(c),
                 fmt::format("with {} rank{}", c.ranks, c.ranks == 1 ? "" : "s"),
                 "the case has no such figure");
}

std::vector<Figure> of_comparisons(const Requirement& r, const Report& report) {
  std::vector<Figure> figures;
  for (const schema::Comparison& comparison : report.comparisons)
    for (const schema::ComparedVariant& v : comparison.variants)
      if (fmt::format("{}.{}", comparison.name, v.variant) == r.name)
        figures.push_back(
            checked(find_field(variant_fields(), r.field)->read(v),
                    fmt::format("against {}", comparison.baseline_variant),
                    fmt::format("the variant has no such figure: {}", name_of(v.outcome))));
  if (figures.empty()) figures.push_back(missing("the run compares no such variants"));
  return figures;
}

// A sum that lacks kernels is no figure to judge by.
std::vector<Figure> of_closures(const Requirement& r, const Report& report) {
  std::vector<Figure> figures;
  for (const schema::Closure& c : report.closure)
    figures.push_back(c.missing.empty()
                          ? checked(find_field(closure_fields(), r.field)->read(c),
                                    fmt::format("of {}", c.case_name), "no round has all of it")
                          : missing(fmt::format("{}: kernels without a time: {}", c.case_name,
                                                fmt::join(c.missing, ", "))));
  if (figures.empty())
    figures.push_back(missing("the run has no training case with its kernels beside it"));
  return figures;
}

std::vector<Figure> figures_of(const Requirement& r, const Report& report) {
  switch (r.of) {
    case Requirement::Of::largest_point: return {of_largest(r, report)};
    case Requirement::Of::point: return {of_asked_point(r, report)};
    case Requirement::Of::reference: return {of_reference(r, report)};
    case Requirement::Of::phase:
      return {checked(find_field(phase_fields(), r.field)->read(report.phases_s), "", "not known")};
    case Requirement::Of::comparisons: return of_comparisons(r, report);
    case Requirement::Of::closure: return of_closures(r, report);
    case Requirement::Of::cases: break;
  }
  std::vector<Figure> figures;
  for (const schema::CaseResult& c : report.cases)
    if (c.name == r.name) figures.push_back(of_case(r, c));
  if (figures.empty()) figures.push_back(missing("the run has no case of this name"));
  return figures;
}

bool holds(const Requirement& r, double value) {
  switch (r.comparison) {
    case Comparison::at_least: return value >= r.number;
    case Comparison::at_most: return value <= r.number;
    case Comparison::above: return value > r.number;
    case Comparison::below: return value < r.number;
    case Comparison::equal: return value == r.number;
  }
  return false;
}

struct Judgement {
  bool failed = false, open = false;
  std::vector<std::string> reasons;
};

void judge_one(const Requirement& r, const Report& report, Judgement& judgement) {
  for (const Figure& figure : figures_of(r, report)) {
    if (!figure.value) {
      judgement.open = true;
      judgement.reasons.push_back(fmt::format("{}: no verdict: {}", r.text, figure.note));
      continue;
    }
    const bool met = holds(r, *figure.value);
    judgement.failed |= !met;
    judgement.reasons.push_back(fmt::format("{}: {}: measured {:.6g}{}{}", r.text,
                                            met ? "met" : "not met", *figure.value,
                                            figure.note.empty() ? "" : " ", figure.note));
  }
}

// What stands against every verdict, asked or not.
void judge_run(const Report& report, bool& wrong, bool& incomplete,
               std::vector<std::string>& reasons) {
  for (const schema::CaseResult& c : report.cases) {
    if (c.outcome == schema::Outcome::wrong) {
      wrong = true;
      reasons.push_back(fmt::format("{} computes a wrong result: {}", c.name, c.reason));
    }
    if (c.outcome == schema::Outcome::timeout || c.outcome == schema::Outcome::failed) {
      incomplete = true;
      const bool late = c.outcome == schema::Outcome::timeout;
      reasons.push_back(fmt::format("{} {}: {}", c.name, late ? "timed out" : "failed", c.reason));
    }
  }
  if (report.run.complete) return;
  incomplete = true;
  reasons.emplace_back("the run is incomplete");
}

}  // namespace

schema::Verdict judge(const Report& report, std::span<const Requirement> requirements) {
  bool wrong = false, incomplete = false;
  Judgement judgement;
  judge_run(report, wrong, incomplete, judgement.reasons);
  for (const Requirement& r : requirements) judge_one(r, report, judgement);
  schema::Verdict verdict{.state = "pass", .reasons = std::move(judgement.reasons)};
  if (wrong)
    verdict.state = "fail";
  else if (incomplete)
    verdict.state = "no_verdict";
  else if (judgement.failed)
    verdict.state = "fail";
  else if (judgement.open)
    verdict.state = "no_verdict";
  else if (requirements.empty())
    verdict.state = "not_asked";
  return verdict;
}

}  // namespace bench::reports
