#include "reports/derive/oversubscribed.h"

#include <algorithm>
#include <charconv>
#include <set>
#include <string_view>

namespace bench::reports {
namespace {

// Adds the CPUs of "0-3,8" to `cpus`; false for other text.
bool add_cpus(std::string_view list, std::set<int>& cpus) {
  const char* at = list.data();
  const char* const end = at + list.size();
  while (at != end) {
    int first = 0;
    auto read = std::from_chars(at, end, first);
    if (read.ec != std::errc()) return false;
    int last = first;
    if (read.ptr != end && *read.ptr == '-') {
      read = std::from_chars(read.ptr + 1, end, last);
      if (read.ec != std::errc() || last < first || last - first > 65536) return false;
    }
    for (int cpu = first; cpu <= last; ++cpu) cpus.insert(cpu);
    at = read.ptr;
    if (at != end && *at++ != ',') return false;
  }
  return true;
}

double capacity(const schema::Environment& environment, const schema::HostFact& host) {
  double cores = host.cores;
  if (host.cpu_quota && *host.cpu_quota > 0) cores = std::min(cores, *host.cpu_quota);
  std::set<int> allowed;
  bool known = true;
  for (const schema::RankFact& rank : environment.ranks)
    if (rank.host == host.host) known &= !rank.affinity.empty() && add_cpus(rank.affinity, allowed);
  if (known && !allowed.empty()) cores = std::min(cores, static_cast<double>(allowed.size()));
  return cores;
}

bool fits(const schema::Environment& environment, int ranks) {
  for (const schema::HostFact& host : environment.hosts) {
    const auto here =
        std::count_if(environment.ranks.begin(), environment.ranks.end(),
                      [&](const auto& r) { return r.host == host.host && r.rank < ranks; });
    if (host.cores > 0 && static_cast<double>(here) > capacity(environment, host)) return false;
  }
  return true;
}

}  // namespace

int cpus_in(const std::string& list) {
  std::set<int> cpus;
  return add_cpus(list, cpus) ? static_cast<int>(cpus.size()) : 0;
}

bool oversubscribed(const schema::Environment& environment, int ranks) {
  if (!environment.oversubscribed || ranks <= 1) return false;
  const int all = static_cast<int>(environment.ranks.size());
  if (!fits(environment, ranks)) return true;
  return fits(environment, all);  // the run says so, the counts do not show it: believe the run
}

}  // namespace bench::reports
