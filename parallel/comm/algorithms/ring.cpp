// Ring: every rank passes a part to the next one, p - 1 times while it grows to the sum and p - 1
// times while it becomes known. 2(p-1) alpha + 2(p-1)/p n beta + (p-1)/p n gamma.
#include <algorithm>

#include "parallel/comm/algorithms/algorithm.h"

namespace bench::algorithms {
namespace {

// Around the ring: any whole number of ranks further.
int around(int rank, int ranks) { return (rank % ranks + ranks) % ranks; }

}  // namespace

Schedule ring_reduce_scatter(Call call) {
  const int p = call.ranks, next = around(call.rank + 1, p), before = around(call.rank - 1, p);
  Round round;
  for (int step = 0; step < p - 1; ++step) {
    const Span arrives = part_of(call.count, p, around(call.rank - 2 - step, p));
    round.clear();
    round.send(next, part_of(call.count, p, around(call.rank - 1 - step, p)));
    round.receive(before, in_scratch(arrives));
    round.reduce(in_scratch(arrives), arrives);
    co_yield round;
  }
}

Schedule ring_all_gather(Call call) {
  const int p = call.ranks, next = around(call.rank + 1, p), before = around(call.rank - 1, p);
  Round round;
  for (int step = 0; step < p - 1; ++step) {
    round.clear();
    round.send(next, part_of(call.count, p, around(call.rank - step, p)));
    round.receive(before, part_of(call.count, p, around(call.rank - 1 - step, p)));
    co_yield round;
  }
}

Schedule ring_all_reduce(Call call) {
  Schedule scatter = ring_reduce_scatter(call);
  while (Round* round = scatter.next()) co_yield *round;
  Schedule gather = ring_all_gather(call);
  while (Round* round = gather.next()) co_yield *round;
}

// One ring after the other, on pieces that stay in cache between a part's arrival and its sum.
Schedule segmented_ring_all_reduce(Call call) {
  const int64_t piece = call.segment * call.ranks;
  std::vector<int> everyone(static_cast<size_t>(call.ranks));
  for (int r = 0; r < call.ranks; ++r) everyone[static_cast<size_t>(r)] = r;
  for (int64_t first = 0; first < call.count; first += piece) {
    Call part = call;
    part.count = std::min(piece, call.count - first);
    Schedule ring = among(ring_all_reduce(part), everyone, first);
    while (Round* round = ring.next()) co_yield *round;
  }
}

}  // namespace bench::algorithms
