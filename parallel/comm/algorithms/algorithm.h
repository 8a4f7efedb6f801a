#pragma once
// The algorithms by name. Costs: Thakur, Rabenseifner, Gropp 2005; Sanders, Speck, Traeff 2009 for
// the two trees.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "parallel/comm/algorithms/schedule.h"

namespace bench::algorithms {

// Ranks by host, each rank once. Empty: all on one host.
using Hosts = std::vector<std::vector<int>>;

// One all-reduce of `count` elements as one rank sees it.
struct Call {
  int rank = 0;
  int ranks = 1;
  int64_t count = 0;
  int64_t segment = 1 << 14;     // elements that a pipelined algorithm moves at once
  const Hosts* hosts = nullptr;  // outlives the schedule
};

struct AllReduce {
  std::string_view name;
  std::string_view says;  // in words, for lists
  Schedule (*schedule)(Call call);
  int64_t (*scratch)(const Call& call);  // elements
  // Why these hosts cannot be served; empty: they can.
  std::string (*why_not)(const Call& call);
};

// In a fixed order. Every rank's result has the same bits: additions are made once, or on two ranks
// from the same two operands. bf16 is added in f32 and rounded after every addition.
std::span<const AllReduce> all_reduces();

// Throws UsageError that lists the names.
const AllReduce& all_reduce_named(std::string_view name);

// Parts of others and collectives of their own. `rank` ends with part `rank` of `count` elements
// cut into `ranks` parts; or starts with it. Scratch: the largest part.
Schedule ring_reduce_scatter(Call call);
Schedule ring_all_gather(Call call);
Schedule ring_all_reduce(Call call);
Schedule segmented_ring_all_reduce(Call call);
Schedule recursive_doubling_all_reduce(Call call);
Schedule rabenseifner_all_reduce(Call call);
Schedule binomial_all_reduce(Call call);
Schedule binomial_reduce(Call call);     // to rank 0; scratch: count
Schedule binomial_broadcast(Call call);  // from rank 0
Schedule double_tree_all_reduce(Call call);
Schedule one_shot_all_reduce(Call call);
Schedule two_level_leader_all_reduce(Call call);
Schedule two_level_rail_all_reduce(Call call);

// `inner` among some ranks, by their places in `members`, on elements from `first` of the result
// on. Scratch stays where it is.
Schedule among(Schedule inner, std::vector<int> members, int64_t first);

}  // namespace bench::algorithms
