#include "reports/derive/pairs.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <sstream>

#include "reports/derive/params.h"
#include "reports/derive/rounds.h"

namespace bench::reports {
namespace {

using Matrix = std::vector<std::vector<schema::Number>>;

// One measured pair, first < second.
struct Pair {
  size_t first, second;
  double ratio;  // over what is usual for its kind
};

// Among few ranks one slow rank or host slows most pairs down, so not the median: the value that a
// quarter of the pairs do not exceed.
double usual(std::vector<double> values) {
  if (values.empty()) return 0;
  const size_t place = (values.size() - 1) / 4;
  std::nth_element(values.begin(), values.begin() + static_cast<int64_t>(place), values.end());
  return values[place];
}

std::vector<Pair> pairs_of(const Matrix& seconds, const std::vector<std::string>& hosts) {
  std::vector<double> inside, between;
  const auto kind = [&](size_t i, size_t j) -> std::vector<double>& {
    return hosts[i] == hosts[j] ? inside : between;
  };
  for (size_t i = 0; i < seconds.size(); ++i)
    for (size_t j = i + 1; j < seconds.size(); ++j)
      if (seconds[i][j]) kind(i, j).push_back(*seconds[i][j]);
  std::vector<Pair> pairs;
  for (size_t i = 0; i < seconds.size(); ++i)
    for (size_t j = i + 1; j < seconds.size(); ++j) {
      const double expected = usual(kind(i, j));
      if (seconds[i][j] && expected > 0)
        pairs.push_back({.first = i, .second = j, .ratio = *seconds[i][j] / expected});
    }
  return pairs;
}

// How many of a cause's pairs are slow.
struct Tally {
  int slow = 0, all = 0;
  std::vector<double> ratios;
  void add(const Pair& pair) {
    ++all;
    ratios.push_back(pair.ratio);
    if (pair.ratio >= kSlowPair) ++slow;
  }
  bool blamed() const { return all >= 2 && slow >= kShareOfPairs * all; }
  std::string words() const {
    return fmt::format(
        "{} of {} pairs take at least {} x what is usual for their kind, {:.1f} x in the middle",
        slow, all, kSlowPair, median_of(ratios));
  }
};

// Takes the ranks whose pairs are mostly slow, the worst first: a slow rank makes one pair of every
// other rank slow, which is then no longer held against that one.
std::vector<std::string> blame_ranks(std::vector<Pair>& pairs,
                                     const std::vector<std::string>& hosts) {
  std::vector<std::string> findings;
  for (;;) {
    std::vector<Tally> tallies(hosts.size());
    for (const Pair& pair : pairs) {
      tallies[pair.first].add(pair);
      tallies[pair.second].add(pair);
    }
    const auto worst =
        std::max_element(tallies.begin(), tallies.end(), [](const Tally& a, const Tally& b) {
          return std::pair(a.blamed(), a.slow) < std::pair(b.blamed(), b.slow);
        });
    if (worst == tallies.end() || !worst->blamed()) return findings;
    const auto rank = static_cast<size_t>(worst - tallies.begin());
    findings.push_back(
        fmt::format("rank {} on host {} is slow: {}", rank, hosts[rank], worst->words()));
    std::erase_if(pairs, [&](const Pair& p) { return p.first == rank || p.second == rank; });
  }
}

// All ranks of a host at once: its link to the others. One rank alone cannot be told from its host.
std::vector<std::string> blame_hosts(std::vector<Pair>& pairs,
                                     const std::vector<std::string>& hosts) {
  std::map<std::string, Tally> links;
  std::map<std::string, int> ranks;
  for (const std::string& host : hosts) ++ranks[host];
  for (const Pair& pair : pairs) {
    if (hosts[pair.first] == hosts[pair.second]) continue;
    links[hosts[pair.first]].add(pair);
    links[hosts[pair.second]].add(pair);
  }
  std::vector<std::string> findings;
  for (const auto& [host, tally] : links) {
    if (ranks.size() < 3 || ranks[host] < 2 || tally.slow < tally.all) continue;
    findings.push_back(fmt::format("the link of host {} is slow: {}", host, tally.words()));
    std::erase_if(pairs, [&](const Pair& p) {
      return hosts[p.first] != hosts[p.second] &&
             (hosts[p.first] == host || hosts[p.second] == host);
    });
  }
  return findings;
}

std::vector<std::string> blame_host_paths(std::vector<Pair>& pairs,
                                          const std::vector<std::string>& hosts) {
  const auto path_of = [&](const Pair& p) { return std::minmax(hosts[p.first], hosts[p.second]); };
  std::map<std::pair<std::string, std::string>, Tally> paths;
  for (const Pair& pair : pairs)
    if (hosts[pair.first] != hosts[pair.second]) paths[path_of(pair)].add(pair);
  std::vector<std::string> findings;
  for (const auto& [path, tally] : paths) {
    if (!tally.blamed()) continue;
    findings.push_back(fmt::format("the path between hosts {} and {} is slow: {}", path.first,
                                   path.second, tally.words()));
    std::erase_if(pairs, [&](const Pair& p) {
      return std::pair<std::string, std::string>(path_of(p)) == path;
    });
  }
  return findings;
}

// "0-3 1-2", in one case's parameters.
std::vector<std::pair<size_t, size_t>> parse_pairs(const std::string& text) {
  std::istringstream in(text);
  std::vector<std::pair<size_t, size_t>> pairs;
  size_t a = 0, b = 0;
  char dash = 0;
  while (in >> a >> dash >> b) pairs.emplace_back(a, b);
  return pairs;
}

void add_case(const schema::CaseResult& c, size_t ranks, Matrix& seconds) {
  if (seconds.empty()) seconds.assign(ranks, std::vector<schema::Number>(ranks));
  if (!c.ranks_time_s) return;
  const std::vector<double>& times = c.ranks_time_s->median;
  for (const auto& [a, b] : parse_pairs(text_param(c, "pairs"))) {
    if (std::max(a, b) >= std::min(ranks, times.size())) continue;
    seconds[a][b] = seconds[b][a] = std::max(times[a], times[b]);
  }
}

void judge(const schema::Report& report, schema::Pairs& pairs) {
  std::vector<std::string> hosts;
  for (const auto& rank : report.environment.ranks) hosts.push_back(rank.host);
  if (report.environment.oversubscribed || hosts.size() < 3) {
    pairs.verdict = "unknown";
    pairs.findings = {hosts.size() < 3
                          ? "fewer than three ranks: there is nothing to compare a pair with"
                          : "ranks take turns on a core: their times say nothing of the paths"};
    return;
  }
  for (const schema::PairSize& size : pairs.sizes)
    for (const std::string& words : slow_in(size.seconds, hosts))
      pairs.findings.push_back(fmt::format("at {} bytes {}", size.bytes, words));
  for (const schema::PairSize& size : pairs.sizes)
    for (size_t i = 0; i < size.seconds.size(); ++i)
      for (size_t j = i + 1; j < size.seconds.size(); ++j)
        if (!size.seconds[i][j]) {
          pairs.verdict = "unknown";
          pairs.findings = {"not every two ranks were measured: --suite pairs does that"};
          return;
        }
  pairs.verdict = pairs.findings.empty() ? "none" : "slow";
}

}  // namespace

std::vector<std::string> slow_in(const Matrix& seconds, const std::vector<std::string>& hosts) {
  std::vector<Pair> pairs = pairs_of(seconds, hosts);
  std::vector<std::string> findings;
  for (const auto blame : {blame_hosts, blame_ranks, blame_host_paths})
    for (std::string& words : blame(pairs, hosts)) findings.push_back(std::move(words));
  for (const Pair& pair : pairs)
    if (pair.ratio >= kSlowPair)
      findings.push_back(
          fmt::format("the path between rank {} on host {} and rank {} on host {} is slow: {:.1f} "
                      "x what is usual for its kind",
                      pair.first, hosts[pair.first], pair.second, hosts[pair.second], pair.ratio));
  return findings;
}

std::vector<schema::Pairs> derive_pairs(const schema::Report& report) {
  std::map<int64_t, Matrix> matrices;
  for (const schema::CaseResult& c : report.cases)
    if (!text_param(c, "pairs").empty())
      add_case(c, report.environment.ranks.size(),
               matrices[static_cast<int64_t>(number_param(c, "bytes").value_or(0))]);
  if (matrices.empty()) return {};
  schema::Pairs pairs;
  for (auto& [bytes, seconds] : matrices)
    pairs.sizes.push_back({.bytes = bytes, .seconds = std::move(seconds)});
  judge(report, pairs);
  return {std::move(pairs)};
}

}  // namespace bench::reports
