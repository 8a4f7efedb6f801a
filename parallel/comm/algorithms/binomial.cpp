// Binomial trees: to rank 0 and back. 2 ceil(lg p) (alpha + n beta) + ceil(lg p) n gamma.
#include "parallel/comm/algorithms/algorithm.h"

namespace bench::algorithms {
namespace {

Span whole(const Call& call) { return {.area = Area::result, .first = 0, .count = call.count}; }

}  // namespace

Schedule binomial_reduce(Call call) {
  Round round;
  for (int mask = 1; mask < call.ranks; mask *= 2) {
    round.clear();
    if ((call.rank & mask) != 0) {
      round.send(call.rank - mask, whole(call));
      co_yield round;
      co_return;
    }
    if (call.rank + mask >= call.ranks) continue;
    round.receive(call.rank + mask, in_scratch(whole(call)));
    round.reduce(in_scratch(whole(call)), whole(call));
    co_yield round;
  }
}

Schedule binomial_broadcast(Call call) {
  Round round;
  int mask = 1;
  while (mask < call.ranks && (call.rank & mask) == 0) mask *= 2;
  if (call.rank > 0) {
    round.receive(call.rank - mask, whole(call));
    co_yield round;
  }
  for (mask /= 2; mask > 0; mask /= 2) {
    if (call.rank + mask >= call.ranks) continue;
    round.clear();
    round.send(call.rank + mask, whole(call));
    co_yield round;
  }
}

Schedule binomial_all_reduce(Call call) {
  Schedule up = binomial_reduce(call);
  while (Round* round = up.next()) co_yield *round;
  Schedule down = binomial_broadcast(call);
  while (Round* round = down.next()) co_yield *round;
}

}  // namespace bench::algorithms
