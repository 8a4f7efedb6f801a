#include "parallel/comm/algorithms/algorithm.h"

#include <algorithm>
#include <array>

#include "bench/base/status.h"

namespace bench::algorithms {
namespace {

int64_t one_part(const Call& call) { return (call.count + call.ranks - 1) / call.ranks; }
int64_t one_segment(const Call& call) { return std::min(call.segment, one_part(call)); }
int64_t half(const Call& call) { return (call.count + 1) / 2; }
// Half is enough for the core alone; a rank that takes in a neighbour's vector needs all of it.
int64_t half_or_whole(const Call& call) {
  return (call.ranks & (call.ranks - 1)) == 0 ? half(call) : call.count;
}
int64_t whole(const Call& call) { return call.count; }
int64_t of_every_rank(const Call& call) { return call.count * call.ranks; }
int64_t four_segments(const Call& call) { return 4 * call.segment; }

std::string anywhere(const Call&) { return ""; }
std::string on_hosts(const Call& call) {
  return call.hosts != nullptr && !call.hosts->empty() ? ""
                                                       : "it is not known which ranks share a host";
}
std::string on_equal_hosts(const Call& call) {
  std::string why = on_hosts(call);
  if (!why.empty()) return why;
  const size_t ranks = call.hosts->front().size();
  for (const auto& host : *call.hosts)
    if (host.size() != ranks) return "the rail form needs the same number of ranks on every host";
  return "";
}

constexpr std::array kAllReduces = {
    AllReduce{"ring", "reduce-scatter and all-gather around a ring", ring_all_reduce, one_part,
              anywhere},
    AllReduce{"segmented_ring", "rings one after the other, each on a piece that fits a cache",
              segmented_ring_all_reduce, one_segment, anywhere},
    AllReduce{"recursive_doubling", "the whole vector to partners at doubling distances",
              recursive_doubling_all_reduce, whole, anywhere},
    AllReduce{"rabenseifner", "halving reduce-scatter and doubling all-gather",
              rabenseifner_all_reduce, half_or_whole, anywhere},
    AllReduce{"binomial", "reduce to one rank and broadcast by binomial trees", binomial_all_reduce,
              whole, anywhere},
    AllReduce{"double_tree", "two binary trees, each for half of the vector, in pieces",
              double_tree_all_reduce, four_segments, anywhere},
    AllReduce{"one_shot", "everybody gets every vector and adds them all", one_shot_all_reduce,
              of_every_rank, anywhere},
    AllReduce{"two_level_leader", "inside hosts, between one rank of each, inside hosts",
              two_level_leader_all_reduce, whole, on_hosts},
    AllReduce{"two_level_rail",
              "parts inside hosts, each part between its owners, parts inside hosts",
              two_level_rail_all_reduce, whole, on_equal_hosts}};

}  // namespace

std::span<const AllReduce> all_reduces() { return kAllReduces; }

const AllReduce& all_reduce_named(std::string_view name) {
  std::string names;
  for (const AllReduce& a : kAllReduces) {
    if (a.name == name) return a;
    names += (names.empty() ? "" : ", ") + std::string(a.name);
  }
  throw UsageError("there is no all-reduce algorithm '" + std::string(name) +
                   "'; there are: " + names);
}

}  // namespace bench::algorithms
