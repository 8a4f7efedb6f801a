// Partners at doubling distances. Recursive doubling: lg p (alpha + n beta + n gamma).
// Rabenseifner: halving reduce-scatter and doubling all-gather, 2 lg p alpha + 2(p-1)/p n beta +
// (p-1)/p n gamma. Where p is no power of two, the surplus ranks give their vector to a neighbour
// first and get the sum at the end: 2 (alpha + n beta) + n gamma more.
#include <bit>

#include "parallel/comm/algorithms/algorithm.h"

namespace bench::algorithms {
namespace {

// The ranks of the power of two: of the first 2 * surplus every second one, and all others.
struct Core {
  explicit Core(const Call& call)
      : size(static_cast<int>(std::bit_floor(static_cast<unsigned>(call.ranks)))),
        surplus(call.ranks - size),
        rank(call.rank) {}
  int size, surplus, rank;

  bool paired() const { return rank < 2 * surplus; }
  bool outside() const { return paired() && rank % 2 == 0; }
  int neighbour() const { return rank ^ 1; }
  int place() const { return paired() ? rank / 2 : rank - surplus; }
  int rank_at(int place) const { return place < surplus ? 2 * place + 1 : place + surplus; }
};

Span whole(const Call& call) { return {.area = Area::result, .first = 0, .count = call.count}; }

void fold(Round& round, const Core& core, const Call& call) {
  round.clear();
  if (core.outside()) return round.send(core.neighbour(), whole(call));
  round.receive(core.neighbour(), in_scratch(whole(call)));
  round.reduce(in_scratch(whole(call)), whole(call));
}

void unfold(Round& round, const Core& core, const Call& call) {
  round.clear();
  if (core.outside()) return round.receive(core.neighbour(), whole(call));
  round.send(core.neighbour(), whole(call));
}

Span parts(const Call& call, const Core& core, int first, int count) {
  const int64_t begin = part_begin(call.count, core.size, first);
  return {.area = Area::result,
          .first = begin,
          .count = part_begin(call.count, core.size, first + count) - begin};
}

Schedule doubling_exchange(Call call, Core core) {
  Round round;
  for (int mask = 1; mask < core.size; mask *= 2) {
    const int partner = core.rank_at(core.place() ^ mask);
    round.clear();
    round.send(partner, whole(call));
    round.receive(partner, in_scratch(whole(call)));
    round.reduce(in_scratch(whole(call)), whole(call));
    co_yield round;
  }
}

Schedule halving_and_doubling(Call call, Core core) {
  Round round;
  const int place = core.place();
  for (int half = core.size / 2; half > 0; half /= 2) {
    const int partner = core.rank_at(place ^ half);
    const int kept = place & ~(half - 1);
    const Span mine = parts(call, core, kept, half);
    round.clear();
    round.send(partner, parts(call, core, kept ^ half, half));
    round.receive(partner, in_scratch(mine));
    round.reduce(in_scratch(mine), mine);
    co_yield round;
  }
  for (int known = 1; known < core.size; known *= 2) {
    const int partner = core.rank_at(place ^ known);
    const int first = place & ~(known - 1);
    round.clear();
    round.send(partner, parts(call, core, first, known));
    round.receive(partner, parts(call, core, first ^ known, known));
    co_yield round;
  }
}

Schedule folded(Call call, Schedule (*inside)(Call, Core)) {
  const Core core(call);
  Round round;
  if (core.paired()) {
    fold(round, core, call);
    co_yield round;
  }
  if (!core.outside()) {
    Schedule rounds = inside(call, core);
    while (Round* r = rounds.next()) co_yield *r;
  }
  if (core.paired()) {
    unfold(round, core, call);
    co_yield round;
  }
}

}  // namespace

Schedule recursive_doubling_all_reduce(Call call) { return folded(call, doubling_exchange); }

Schedule rabenseifner_all_reduce(Call call) { return folded(call, halving_and_doubling); }

}  // namespace bench::algorithms
