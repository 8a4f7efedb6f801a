#include "reports/derive/ceilings.h"

#include <algorithm>
#include <set>
#include <utility>

#include "reports/derive/params.h"

namespace bench::reports {
namespace {

using schema::CaseResult;
using schema::Report;

constexpr const char* kCopy = "copy";  // the pattern of a stream that any case can be held against

bool is_ceiling(const CaseResult& c, const char* what, int ranks) {
  return c.ceiling == what && c.ranks == ranks && c.outcome == schema::Outcome::measured &&
         c.time_s;
}

const schema::Number& amount_of(const CaseResult& c) {
  return c.ceiling == "gemm" ? c.work.flops : c.work.bytes;
}

// Keeps only those that hold, if any does; whether any did.
template <class Holds>
bool prefer(std::vector<const CaseResult*>& cases, Holds holds) {
  const bool any = std::any_of(cases.begin(), cases.end(), holds);
  if (any) std::erase_if(cases, [&](const CaseResult* c) { return !holds(c); });
  return any;
}

bool prefer_pattern(std::vector<const CaseResult*>& streams, const std::string& pattern) {
  return prefer(streams, [&](const CaseResult* c) { return pattern_of(*c) == pattern; });
}

std::vector<const CaseResult*> gemm_cases(const Report& report, int ranks,
                                          const std::string& dtype) {
  std::vector<const CaseResult*> found;
  for (const CaseResult& c : report.cases)
    if (is_ceiling(c, "gemm", ranks) && c.dtype == dtype) found.push_back(&c);
  return found;
}

std::vector<const CaseResult*> copy_cases(const Report& report, int ranks, const std::string& dtype,
                                          const std::string& pattern) {
  std::vector<const CaseResult*> found;
  for (const CaseResult& c : report.cases)
    if (is_ceiling(c, "copy", ranks)) found.push_back(&c);
  if (pattern.empty() || !prefer_pattern(found, pattern)) prefer_pattern(found, kCopy);
  prefer(found, [&](const CaseResult* c) { return c->dtype == dtype; });
  return found;
}

ByRound best_by_round(const std::vector<const CaseResult*>& cases) {
  ByRound best;
  for (const CaseResult* c : cases)
    for (const auto& [round, rate] : rates_by_round(*c, amount_of(*c).value_or(0)))
      best[round] = std::max(best[round], rate);
  return best;
}

// A rank's own time where it is known, else the slowest rank's.
schema::Number best_of_rank(const std::vector<const CaseResult*>& cases, int rank) {
  schema::Number best;
  for (const CaseResult* c : cases) {
    double seconds = c->time_s->median;
    if (c->ranks_time_s && rank < static_cast<int>(c->ranks_time_s->median.size()))
      seconds = c->ranks_time_s->median[rank];
    if (amount_of(*c) && seconds > 0) best = std::max(best.value_or(0), *amount_of(*c) / seconds);
  }
  return best;
}

void set_flag(CaseResult& c, const char* flag) {
  if (std::find(c.flags.begin(), c.flags.end(), flag) == c.flags.end()) c.flags.emplace_back(flag);
}

schema::Number fraction(const CaseResult& c, const schema::Number& amount, const ByRound& ceiling) {
  if (!amount || *amount <= 0) return {};
  return ratio_over_rounds(rates_by_round(c, *amount), ceiling).median;
}

}  // namespace

ByRound gemm_rates(const Report& report, int ranks, const std::string& dtype) {
  return best_by_round(gemm_cases(report, ranks, dtype));
}

ByRound copy_rates(const Report& report, int ranks, const std::string& dtype,
                   const std::string& pattern) {
  return best_by_round(copy_cases(report, ranks, dtype, pattern));
}

std::string stream_pattern(const Report& report, int ranks, const std::string& dtype,
                           const std::string& pattern) {
  std::set<std::string> found;
  for (const CaseResult* c : copy_cases(report, ranks, dtype, pattern))
    found.insert(pattern_of(*c));
  return found.size() == 1 ? *found.begin() : "";
}

std::string pattern_of(const CaseResult& result) { return text_param(result, "pattern"); }

bool is_unsteady(const ByRound& rates) {
  if (rates.empty()) return false;
  const auto [low, high] = std::minmax_element(
      rates.begin(), rates.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
  return high->second > 1.1 * low->second;
}

std::vector<schema::Ceiling> derive_ceilings(const Report& report) {
  std::set<std::pair<int, std::string>> groups;  // rank count, dtype
  for (const CaseResult& c : report.cases)
    if (!c.ceiling.empty() && is_ceiling(c, c.ceiling.c_str(), c.ranks))
      groups.insert({c.ranks, c.dtype});
  std::vector<schema::Ceiling> ceilings;
  for (const auto& [ranks, dtype] : groups) {
    const auto gemm = gemm_cases(report, ranks, dtype);
    const auto copy = copy_cases(report, ranks, dtype, "");
    const std::string device = (gemm.empty() ? copy : gemm).front()->device;
    const ByRound flops = best_by_round(gemm), bytes = best_by_round(copy);
    const bool unsteady = is_unsteady(flops) || is_unsteady(bytes);
    for (int rank = 0; rank < ranks; ++rank)
      ceilings.push_back({.rank = rank,
                          .active_ranks = ranks,
                          .device = device,
                          .dtype = dtype,
                          .gemm_flops_per_s = best_of_rank(gemm, rank),
                          .copy_bytes_per_s = best_of_rank(copy, rank),
                          .unsteady = unsteady,
                          .ridge_flops_per_byte = ratio_over_rounds(flops, bytes).median});
  }
  return ceilings;
}

void derive_of_ceiling(Report& report) {
  for (CaseResult& c : report.cases) {
    c.of_ceiling = {};
    if (c.outcome != schema::Outcome::measured) continue;
    const ByRound gemm = gemm_rates(report, c.ranks, c.dtype);
    const ByRound copy = copy_rates(report, c.ranks, c.dtype, pattern_of(c));
    c.of_ceiling.gemm = fraction(c, c.work.flops, gemm);
    c.of_ceiling.copy = fraction(c, c.work.bytes, copy);
    // What has a flank is held against that: it moves along.
    if ((c.of_ceiling.gemm && is_unsteady(gemm)) ||
        (c.of_ceiling.copy && !c.flanked && is_unsteady(copy)))
      set_flag(c, "unsteady");
  }
}

}  // namespace bench::reports
