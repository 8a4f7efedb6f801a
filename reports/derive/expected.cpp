#include "reports/derive/expected.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <stdexcept>

#include "reports/derive/pairs.h"
#include "reports/derive/params.h"
#include "reports/derive/rounds.h"

namespace bench::reports {
namespace {

using schema::CaseResult;

// Seconds by size, of the pairs of one kind.
using BySize = std::map<int64_t, std::vector<double>>;

// Through the medians of the smallest and the largest size: what is between bends, as libraries
// change their protocol.
std::optional<schema::FittedLink> fit(const std::string& kind, const BySize& times) {
  if (times.size() < 2) return {};
  const auto& [small, few] = *times.begin();
  const auto& [large, many] = *times.rbegin();
  const double low = median_of(few), high = median_of(many);
  const double beta = std::max(0.0, (high - low) / static_cast<double>(large - small));
  return schema::FittedLink{.kind = kind,
                            .alpha_s = std::max(0.0, low - beta * static_cast<double>(small)),
                            .beta_s_per_byte = beta,
                            .pairs = static_cast<int64_t>(many.size())};
}

std::vector<schema::FittedLink> fit_links(const schema::Report& report) {
  BySize inside, between;
  const auto& ranks = report.environment.ranks;
  for (const schema::Pairs& pairs : report.pairs)
    for (const schema::PairSize& size : pairs.sizes)
      for (size_t i = 0; i < size.seconds.size(); ++i)
        for (size_t j = i + 1; j < size.seconds.size(); ++j)
          if (size.seconds[i][j])
            (ranks[i].host == ranks[j].host ? inside : between)[size.bytes].push_back(
                *size.seconds[i][j]);
  std::vector<schema::FittedLink> links;
  for (const auto& link : {fit("intra", inside), fit("inter", between)})
    if (link) links.push_back(*link);
  return links;
}

std::optional<double> fit_gamma(const schema::Report& report) {
  std::vector<double> rates;
  for (const CaseResult& c : report.cases) {
    const double bytes = number_param(c, "bytes").value_or(0);
    if (text_param(c, "operation") == "local_reduce" && c.time_s && bytes > 0)
      rates.push_back(c.time_s->median / bytes);
  }
  if (rates.empty()) return {};
  return median_of(rates);
}

// A library's is the fastest of all: what a good choice would give.
std::optional<std::pair<std::string, double>> expect(const std::string& variant, int ranks,
                                                     double bytes, const CostModel& cost) {
  const auto& known = algorithms_with_formula();
  // "library.ring": the library's own, of that name.
  const std::string name = variant.starts_with("library.") ? variant.substr(8) : variant;
  if (std::find(known.begin(), known.end(), name) != known.end())
    return std::pair(name, formula_s(name, ranks, bytes, cost));
  // What is told to take an algorithm without a formula makes no choice.
  if (!variant.starts_with("library") || name != variant) return {};
  std::pair<std::string, double> best{"", INFINITY};
  for (const std::string& each : known)
    if (const double s = formula_s(each, ranks, bytes, cost); s < best.second) best = {each, s};
  return best;
}

bool is_all_reduce(const CaseResult& c) {
  return text_param(c, "operation") == "all_reduce" && number_param(c, "bytes") && c.time_s &&
         c.outcome == schema::Outcome::measured;
}

void add_best(const schema::Report& report, schema::Expected& expected) {
  std::map<int64_t, std::vector<const CaseResult*>> by_size;
  for (const CaseResult& c : report.cases)
    if (is_all_reduce(c)) by_size[static_cast<int64_t>(*number_param(c, "bytes"))].push_back(&c);
  for (const auto& [bytes, cases] : by_size) {
    const auto best = std::min_element(cases.begin(), cases.end(), [](auto* a, auto* b) {
      return a->time_s->median < b->time_s->median;
    });
    expected.best.push_back(
        {.bytes = bytes,
         .best = variant_of(**best),
         .first = variant_of(*cases.front()),
         .best_s = (*best)->time_s->median,
         .first_over_best = cases.front()->time_s->median / (*best)->time_s->median});
  }
}

}  // namespace

const std::vector<std::string>& algorithms_with_formula() {
  static const std::vector<std::string> names = {
      "ring",        "segmented_ring", "recursive_doubling", "rabenseifner", "binomial",
      "double_tree", "one_shot"};
  return names;
}

double formula_s(const std::string& algorithm, int p, double n, const CostModel& c) {
  if (p == 1) return 0;
  const double lg = std::ceil(std::log2(p)), share = static_cast<double>(p - 1) / p;
  const bool folds = (p & (p - 1)) != 0;  // surplus ranks hand their vector in and out
  const double message = c.alpha_s + n * c.beta_s_per_byte, add = n * c.gamma_s_per_byte;
  const double core = std::floor(std::log2(p)), folded = folds ? 2 * message + add : 0;
  const double both_ways = 2 * share * n * c.beta_s_per_byte + share * add;
  if (algorithm == "ring" || algorithm == "segmented_ring")
    return 2 * (p - 1) * c.alpha_s + both_ways;
  if (algorithm == "recursive_doubling") return core * (message + add) + folded;
  if (algorithm == "rabenseifner") return 2 * core * c.alpha_s + both_ways + folded;
  if (algorithm == "binomial") return 2 * lg * message + lg * add;
  if (algorithm == "double_tree") return 2 * lg * c.alpha_s + 2 * n * c.beta_s_per_byte + add;
  if (algorithm == "one_shot") return (p - 1) * (message + add);
  throw std::invalid_argument("no formula for " + algorithm);
}

std::vector<schema::Expected> derive_expected(const schema::Report& report) {
  const auto gamma = fit_gamma(report);
  schema::Expected expected{.links = fit_links(report), .gamma_s_per_byte = gamma.value_or(0)};
  if (expected.links.empty() || !gamma) return {};
  // A flat algorithm goes at the pace of the slowest link.
  const schema::FittedLink& link = expected.links.back();
  const CostModel cost{
      .alpha_s = link.alpha_s, .beta_s_per_byte = link.beta_s_per_byte, .gamma_s_per_byte = *gamma};
  for (const CaseResult& c : report.cases) {
    if (!is_all_reduce(c)) continue;
    const double bytes = *number_param(c, "bytes");
    const auto found = expect(variant_of(c), c.ranks, bytes, cost);
    if (!found || found->second <= 0) continue;
    expected.all_reduces.push_back({.case_name = c.name,
                                    .variant = variant_of(c),
                                    .algorithm = found->first,
                                    .bytes = static_cast<int64_t>(bytes),
                                    .measured_s = c.time_s->median,
                                    .expected_s = found->second,
                                    .ratio = c.time_s->median / found->second});
  }
  add_best(report, expected);
  return {std::move(expected)};
}

}  // namespace bench::reports
