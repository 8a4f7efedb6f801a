#pragma once
// What one rank does in a collective, round by round, as data. An algorithm only says which
// elements go where; so the same code moves real buffers over any communicator (run_schedule.h) and
// runs on a thousand simulated ranks in one process (../virtual).

#include <cstdint>
#include <vector>

#include "parallel/comm/algorithms/generator.h"

namespace bench::algorithms {

// Where elements lie. `result` holds this rank's contribution at the start and the outcome at the
// end; scratch is as large as the algorithm says.
enum class Area : uint8_t { result, scratch };

struct Span {
  Area area = Area::result;
  int64_t first = 0;  // element
  int64_t count = 0;
};

struct Transfer {
  int peer;
  Span span;
};

// After a round's transfers: `into` takes the elements of `from`, or adds them by the call's
// operation. Equal counts.
struct Local {
  enum class Kind : uint8_t { copy, reduce } kind;
  Span from, into;
};

// The transfers of a round go together; then its local work is done in order. Empty ones are left
// out on both sides.
struct Round {
  std::vector<Transfer> sends, receives;
  std::vector<Local> locals;

  void clear();
  void send(int peer, Span span);
  void receive(int peer, Span span);
  void copy(Span from, Span into);
  void reduce(Span from, Span into);
};

using Schedule = Generator<Round>;

// Element 0 of part i where `count` elements are cut into `parts` as even as can be.
inline int64_t part_begin(int64_t count, int64_t parts, int64_t i) { return count * i / parts; }
inline Span part_of(int64_t count, int64_t parts, int64_t i) {
  const int64_t begin = part_begin(count, parts, i);
  return {.area = Area::result, .first = begin, .count = part_begin(count, parts, i + 1) - begin};
}
// The same number of elements at the start of the scratch memory.
inline Span in_scratch(const Span& span, int64_t first = 0) {
  return {.area = Area::scratch, .first = first, .count = span.count};
}

}  // namespace bench::algorithms
