#pragma once
// All-reduces on simulated ranks.

#include <string>

#include "parallel/comm/virtual/world.h"

namespace bench::simulated {

struct Cluster {
  int ranks = 1;
  Network network;
};

// The cluster's ranks by host.
algorithms::Hosts hosts_of(const Cluster& cluster);

// Why the algorithm cannot run there; empty: it can.
std::string why_not(const Cluster& cluster, const algorithms::AllReduce& algorithm);

// Virtual seconds until every rank has the sum of `count` elements of so many bytes.
double all_reduce_s(const Cluster& cluster, const algorithms::AllReduce& algorithm, int64_t count,
                    int64_t element_bytes);

}  // namespace bench::simulated
