#include "parallel/comm/virtual/all_reduce.h"

namespace bench::simulated {
namespace {

algorithms::Call call_of(const Cluster& cluster, int rank, int64_t count,
                         const algorithms::Hosts& hosts) {
  return {.rank = rank, .ranks = cluster.ranks, .count = count, .hosts = &hosts};
}

}  // namespace

algorithms::Hosts hosts_of(const Cluster& cluster) {
  algorithms::Hosts hosts;
  for (int r = 0; r < cluster.ranks; ++r) {
    if (r % cluster.network.ranks_per_host == 0) hosts.emplace_back();
    hosts.back().push_back(r);
  }
  return hosts;
}

std::string why_not(const Cluster& cluster, const algorithms::AllReduce& algorithm) {
  const algorithms::Hosts hosts = hosts_of(cluster);
  return algorithm.why_not(call_of(cluster, 0, 1, hosts));
}

double all_reduce_s(const Cluster& cluster, const algorithms::AllReduce& algorithm, int64_t count,
                    int64_t element_bytes) {
  const algorithms::Hosts hosts = hosts_of(cluster);
  World world(cluster.network, cluster.ranks, element_bytes,
              [&](int rank) { return algorithm.schedule(call_of(cluster, rank, count, hosts)); });
  return world.run();
}

}  // namespace bench::simulated
