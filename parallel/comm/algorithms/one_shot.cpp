// One-shot: everybody gets everybody's vector and adds all by itself, in rank order. One exchange,
// (p-1) (alpha + n beta + n gamma) through one port: for vectors that are nearly nothing.
#include "parallel/comm/algorithms/algorithm.h"

namespace bench::algorithms {

// Scratch: a vector of each rank.
Schedule one_shot_all_reduce(Call call) {
  const int p = call.ranks;
  const Span own{.area = Area::result, .first = 0, .count = call.count};
  const auto vector_of = [&](int rank) { return in_scratch(own, rank * call.count); };
  Round round;
  for (int away = 1; away < p; ++away) {
    const int to = (call.rank + away) % p, from = (call.rank + p - away) % p;
    round.send(to, own);
    round.receive(from, vector_of(from));
  }
  if (call.rank > 0) {
    round.copy(own, vector_of(call.rank));
    round.copy(vector_of(0), own);
  }
  for (int r = 1; r < p; ++r) round.reduce(vector_of(r), own);
  if (p > 1) co_yield round;
}

}  // namespace bench::algorithms
