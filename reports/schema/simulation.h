#pragma once
// All-reduces on simulated ranks: times that were computed from a model of the network, not
// measured.

#include <cstdint>
#include <string>
#include <vector>

#include "reports/schema/values.h"

namespace bench::schema {

// A message takes latency + bytes / rate and starts when both its ends are ready; a rank sends one
// and receives one at a time; reducing takes bytes / rate after the receive.
struct SimulatedNetwork {
  int64_t ranks = 1, ranks_per_host = 1;
  double intra_latency_s = 0, intra_bytes_per_s = 0;
  double inter_latency_s = 0, inter_bytes_per_s = 0;
  double reduce_bytes_per_s = 0;
};

struct SimulatedTime {
  std::string algorithm;
  Number time_s;  // nothing where the algorithm does not fit the hosts, which `why_not` says
  std::string why_not;
};

struct SimulatedSize {
  int64_t bytes = 0;
  std::string best;  // algorithm
  std::vector<SimulatedTime> times;
};

struct Simulation {
  SimulatedNetwork network;
  std::vector<SimulatedSize> all_reduces;
};

}  // namespace bench::schema
