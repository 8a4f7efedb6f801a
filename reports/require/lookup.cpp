#include "reports/require/lookup.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "reports/reference/references.h"
#include "reports/schema/outcome.h"

namespace bench::reports {
namespace {

using schema::CaseResult;
using schema::Number;
using schema::Report;
using schema::ScalingPoint;
using schema::TimeSummary;

struct CaseField {
  const char* name;
  Number (*get)(const CaseResult&);
};

template <auto Member>
Number time_of(const CaseResult& c) {
  return c.time_s ? Number((*c.time_s).*Member) : Number();
}
template <auto Member>
Number rate_of(const CaseResult& c) {
  return c.rates.*Member;
}

constexpr std::array<CaseField, 20> kCaseFields = {{
    {"time_s.median", time_of<&TimeSummary::median>},
    {"time_s.min", time_of<&TimeSummary::min>},
    {"time_s.p5", time_of<&TimeSummary::p5>},
    {"time_s.p25", time_of<&TimeSummary::p25>},
    {"time_s.p75", time_of<&TimeSummary::p75>},
    {"time_s.p95", time_of<&TimeSummary::p95>},
    {"time_s.p99", time_of<&TimeSummary::p99>},
    {"time_s.max", time_of<&TimeSummary::max>},
    {"time_s.mean", time_of<&TimeSummary::mean>},
    {"time_s.sd", time_of<&TimeSummary::sd>},
    {"time_s.mad", time_of<&TimeSummary::mad>},
    {"time_s.first_call", time_of<&TimeSummary::first_call>},
    {"rates.tflops_per_rank", rate_of<&schema::Rates::tflops_per_rank>},
    {"rates.gbytes_per_s", rate_of<&schema::Rates::gbytes_per_s>},
    {"rates.tokens_per_s", rate_of<&schema::Rates::tokens_per_s>},
    {"rates.algbw_gbytes_per_s", rate_of<&schema::Rates::algbw_gbytes_per_s>},
    {"rates.busbw_gbytes_per_s", rate_of<&schema::Rates::busbw_gbytes_per_s>},
    {"of_ceiling.gemm", [](const CaseResult& c) { return c.of_ceiling.gemm; }},
    {"of_ceiling.copy", [](const CaseResult& c) { return c.of_ceiling.copy; }},
    {"verify.error", [](const CaseResult& c) { return c.verify.error; }},
}};

struct EfficiencyKind {
  const char* name;
  Number schema::Efficiency::*value;
  schema::Interval schema::Efficiency::*range;
};
constexpr std::array<EfficiencyKind, 3> kEfficiencies = {
    {{"flops", &schema::Efficiency::flops, &schema::Efficiency::flops_ci},
     {"parameters", &schema::Efficiency::parameters, &schema::Efficiency::parameters_ci},
     {"time", &schema::Efficiency::time, &schema::Efficiency::time_ci}}};

struct PointField {
  const char* name;
  Number ScalingPoint::*value;
};
constexpr std::array<PointField, 2> kPointFields = {
    {{"step_s", &ScalingPoint::step_s}, {"tokens_per_s", &ScalingPoint::tokens_per_s}}};

template <class Table>
const auto& named(const Table& table, const std::string& name) {
  return *std::find_if(table.begin(), table.end(), [&](const auto& f) { return name == f.name; });
}

template <class Table>
std::vector<std::string> names_of(const Table& table) {
  std::vector<std::string> names;
  for (const auto& field : table) names.emplace_back(field.name);
  return names;
}

std::string ranks_text(int ranks) { return fmt::format("{} rank{}", ranks, ranks == 1 ? "" : "s"); }

Reading missing(std::string where, std::string why_not) {
  return {.where = std::move(where), .value = {}, .spread = {}, .why_not = std::move(why_not)};
}

Reading present(std::string where, const Number& value, std::string why_not_otherwise) {
  if (!value || !std::isfinite(*value))
    return missing(std::move(where), std::move(why_not_otherwise));
  return {.where = std::move(where), .value = value, .spread = {}, .why_not = {}};
}

Reading read_case(const CaseResult& c, const std::string& field) {
  const std::string where = "at " + ranks_text(c.ranks);
  if (c.outcome != schema::Outcome::measured)
    return missing(where, fmt::format("the case is {}: {}", name_of(c.outcome), c.reason));
  Reading r = present(where, named(kCaseFields, field).get(c), "the case has no such figure");
  if (r.value && field == "time_s.median")
    r.spread =
        fmt::format("95 % interval {:.4g} to {:.4g}", c.time_s->ci95.low, c.time_s->ci95.high);
  return r;
}

std::vector<Reading> read_cases(const Report& report, const std::string& name,
                                const std::string& field) {
  std::vector<Reading> readings;
  for (const CaseResult& c : report.cases)
    if (c.name == name) readings.push_back(read_case(c, field));
  if (readings.empty()) readings.push_back(missing("", "no case of that name was planned"));
  return readings;
}

Reading read_reference(const Report& report, const std::string& id) {
  for (const schema::Reference& r : report.references) {
    if (r.id != id) continue;
    if (!r.comparable) return missing("", "not comparable: " + r.why_not);
    return present("", r.ratio, "there is no measured figure");
  }
  return missing("", "the report has no such reference");
}

Reading read_efficiency(const ScalingPoint& point, const std::string& kind) {
  const std::string where = "at " + ranks_text(point.ranks);
  if (!point.comparable) return missing(where, point.why_not);
  const EfficiencyKind& e = named(kEfficiencies, kind);
  const bool time_refused = kind == "time" && !point.efficiency.time_why_not.empty();
  Reading r = present(where, point.efficiency.*(e.value),
                      time_refused ? point.efficiency.time_why_not : "there is no such figure");
  const schema::Interval range = point.efficiency.*(e.range);
  if (r.value) r.spread = fmt::format("{:.4g} to {:.4g} over rounds", range.low, range.high);
  return r;
}

Reading read_largest(const Report& report, const std::string& kind) {
  const ScalingPoint* point = largest_point(report);
  if (point == nullptr) return missing("", "no weak scaling curve was run");
  if (point->ranks < 2) return missing("at 1 rank", "one rank does not scale; start more of them");
  return read_efficiency(*point, kind);
}

// path: {"scaling", ranks, field…}
Reading read_point(const Report& report, const std::vector<std::string>& path) {
  if (!report.scaling) return missing("", "no weak scaling curve was run");
  const std::vector<ScalingPoint>& points = report.scaling->points;
  const auto point = std::find_if(points.begin(), points.end(), [&](const ScalingPoint& p) {
    return std::to_string(p.ranks) == path[1];
  });
  if (point == points.end())
    return missing("", fmt::format("the curve has no point of {} ranks", path[1]));
  if (path[2] == "efficiency") return read_efficiency(*point, path[3]);
  return present("at " + ranks_text(point->ranks), (*point).*(named(kPointFields, path[2]).value),
                 point->why_not);
}

}  // namespace

std::vector<Reading> look_up(const Report& report, const std::vector<std::string>& path) {
  if (path[0] == "cases") return read_cases(report, path[1], path[2]);
  if (path[0] == "references") return {read_reference(report, path[1])};
  if (path[1] == "efficiency") return {read_largest(report, path[2])};
  return {read_point(report, path)};
}

std::vector<std::string> case_fields() { return names_of(kCaseFields); }
std::vector<std::string> efficiency_kinds() { return names_of(kEfficiencies); }
std::vector<std::string> point_fields() { return names_of(kPointFields); }

std::vector<std::string> reference_ids() {
  std::vector<std::string> ids;
  for (const schema::Reference& r : make_references({})) ids.push_back(r.id);
  return ids;
}

}  // namespace bench::reports
