// Two binary trees, each for half of the vector, in pieces that follow each other up and down. A
// rank that is inside one tree is a leaf of the other, so that every rank sends and receives about
// the whole vector twice: ~2 ceil(lg p) alpha + 2 n beta + n gamma (Sanders, Speck, Traeff 2009).
#include <algorithm>
#include <array>
#include <bit>
#include <utility>

#include "parallel/comm/algorithms/algorithm.h"

namespace bench::algorithms {
namespace {

// A rank's place in one tree. Steps of the whole tree are counted: a piece leaves a rank upwards
// `height` steps after it left a leaf, and comes down `depth` steps after it left the root, so that
// both ends of every message name the same step.
struct Place {
  int parent = -1;
  std::array<int, 2> children = {-1, -1};
  std::array<int, 2> child_heights = {0, 0};
  int height = 0, depth = 0;
};

// The in-order binary tree over `ranks` positions: odd positions (counted from one) are leaves.
struct Tree {
  explicit Tree(int n) : ranks(n) {}
  int ranks;

  static int low_bit(int position) { return position & -position; }
  int root() const { return static_cast<int>(std::bit_floor(static_cast<unsigned>(ranks))); }
  int left(int at) const { return low_bit(at) == 1 ? 0 : at - low_bit(at) / 2; }
  // Positions past the end are skipped: the next smaller subtree takes their place.
  int right(int at) const {
    for (int step = low_bit(at) / 2; step > 0; step /= 2)
      if (at + step <= ranks) return at + step;
    return 0;
  }
  // Parent of a position that is not the root, and how far below the root it stands.
  std::pair<int, int> above(int at) const {
    int parent = root(), depth = 1;
    for (int next = 0;; parent = next, ++depth) {
      next = at < parent ? left(parent) : right(parent);
      if (next == at) return {parent, depth};
    }
  }
  int height(int at) const {
    if (at == 0) return -1;
    return 1 + std::max(height(left(at)), height(right(at)));
  }
};

// Positions are ranks plus one in the first tree and mirrored in the second (and shifted by one
// where the number is odd, so that the two differ in who is a leaf).
int position_of(int rank, int ranks, bool second) {
  if (!second) return rank + 1;
  return ranks % 2 == 0 ? ranks - rank : (rank + 1) % ranks + 1;
}
int rank_of(int position, int ranks, bool second) {
  if (position == 0) return -1;
  if (!second) return position - 1;
  return ranks % 2 == 0 ? ranks - position : (position + ranks - 2) % ranks;
}

Place place_of(int rank, int ranks, bool second) {
  const Tree tree(ranks);
  const int at = position_of(rank, ranks, second);
  Place place;
  place.height = tree.height(at);
  if (at != tree.root()) {
    const auto [parent, depth] = tree.above(at);
    place.parent = rank_of(parent, ranks, second);
    place.depth = depth;
  }
  const std::array<int, 2> below = {tree.left(at), tree.right(at)};
  for (size_t i = 0; i < 2; ++i) {
    place.children[i] = rank_of(below[i], ranks, second);
    place.child_heights[i] = tree.height(below[i]);
  }
  return place;
}

// One tree's half of the vector, cut into pieces.
struct Half {
  Place place;
  int64_t first, count, segment, pieces, root_height;
  int64_t scratch;  // first element there

  Half(const Call& call, bool second)
      : place(place_of(call.rank, call.ranks, second)),
        first(part_begin(call.count, 2, second ? 1 : 0)),
        count(part_begin(call.count, 2, second ? 2 : 1) - first),
        segment(call.segment),
        pieces((count + segment - 1) / segment),
        root_height(Tree(call.ranks).height(Tree(call.ranks).root())),
        scratch(second ? 2 * segment : 0) {}

  int64_t steps() const { return pieces == 0 ? 0 : pieces + 2 * root_height + 1; }
  Span piece(int64_t k) const {
    if (k < 0 || k >= pieces) return {};
    return {.area = Area::result,
            .first = first + k * segment,
            .count = std::min(segment, count - k * segment)};
  }
  void add_to(Round& round, int64_t step) const {
    for (size_t i = 0; i < 2; ++i) {
      if (place.children[i] < 0) continue;
      const Span arrives = piece(step - place.child_heights[i]);
      const Span slot = in_scratch(arrives, scratch + static_cast<int64_t>(i) * segment);
      round.receive(place.children[i], slot);
      round.reduce(slot, arrives);
    }
    if (place.parent >= 0) round.send(place.parent, piece(step - place.height));
    const int64_t down = step - root_height;  // the piece that leaves the root in this step
    if (place.parent >= 0) round.receive(place.parent, piece(down - place.depth + 1));
    for (const int child : place.children)
      if (child >= 0) round.send(child, piece(down - place.depth));
  }
};

}  // namespace

// Scratch: a piece from each child in each tree.
Schedule double_tree_all_reduce(Call call) {
  if (call.ranks == 1) co_return;
  const Half left(call, false), right(call, true);
  const int64_t steps = std::max(left.steps(), right.steps());
  Round round;
  for (int64_t step = 0; step < steps; ++step) {
    round.clear();
    left.add_to(round, step);
    right.add_to(round, step);
    if (!round.sends.empty() || !round.receives.empty()) co_yield round;
  }
}

}  // namespace bench::algorithms
