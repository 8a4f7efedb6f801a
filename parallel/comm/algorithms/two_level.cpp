// Two levels: inside a host, where messages are cheap, and across hosts. Leader form: one rank of
// each host talks for it. Rail form: every rank of a host talks to its like on the others about its
// part, so that all network interfaces are busy.
#include <algorithm>
#include <utility>

#include "parallel/comm/algorithms/algorithm.h"

namespace bench::algorithms {
namespace {

// Which host a rank is on and which of its ranks it is.
std::pair<size_t, size_t> find(const Hosts& hosts, int rank) {
  for (size_t h = 0; h < hosts.size(); ++h)
    for (size_t i = 0; i < hosts[h].size(); ++i)
      if (hosts[h][i] == rank) return {h, i};
  return {0, 0};
}

Call call_among(const Call& call, const std::vector<int>& members, size_t place, int64_t count) {
  return {.rank = static_cast<int>(place),
          .ranks = static_cast<int>(members.size()),
          .count = count,
          .segment = call.segment};
}

// The ranks with this number on all hosts.
std::vector<int> across(const Hosts& hosts, size_t number) {
  std::vector<int> ranks;
  for (const auto& host : hosts) ranks.push_back(host[number]);
  return ranks;
}

}  // namespace

Schedule two_level_leader_all_reduce(Call call) {
  const auto [host, place] = find(*call.hosts, call.rank);
  const std::vector<int>& inside = (*call.hosts)[host];
  const Call here = call_among(call, inside, place, call.count);
  Schedule up = among(binomial_reduce(here), inside, 0);
  while (Round* round = up.next()) co_yield *round;
  if (place == 0) {
    const std::vector<int> leaders = across(*call.hosts, 0);
    Schedule over =
        among(rabenseifner_all_reduce(call_among(call, leaders, host, call.count)), leaders, 0);
    while (Round* round = over.next()) co_yield *round;
  }
  Schedule down = among(binomial_broadcast(here), inside, 0);
  while (Round* round = down.next()) co_yield *round;
}

Schedule two_level_rail_all_reduce(Call call) {
  const auto [host, place] = find(*call.hosts, call.rank);
  const std::vector<int>& inside = (*call.hosts)[host];
  const Call here = call_among(call, inside, place, call.count);
  Schedule scatter = among(ring_reduce_scatter(here), inside, 0);
  while (Round* round = scatter.next()) co_yield *round;
  const Span mine = part_of(call.count, here.ranks, static_cast<int64_t>(place));
  const std::vector<int> rail = across(*call.hosts, place);
  Schedule over =
      among(rabenseifner_all_reduce(call_among(call, rail, host, mine.count)), rail, mine.first);
  while (Round* round = over.next()) co_yield *round;
  Schedule gather = among(ring_all_gather(here), inside, 0);
  while (Round* round = gather.next()) co_yield *round;
}

}  // namespace bench::algorithms
