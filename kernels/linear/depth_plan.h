#pragma once
// Who multiplies what of a product that has fewer tiles than the device has multiprocessors: thread
// blocks share the depth of a tile. Each block does the same work ("stream-K", Osama 2023), but
// nearly all begin at few places of the depth and go on side by side, so that what several tiles
// need of an operand is in the second-level cache when they ask for it. Which block does what, and
// the order in which parts are added up, depend on the numbers here alone.

#include <algorithm>

namespace bench::kernels {

// Steps [begin, end) of the depth of a tile. Its sum goes to part `slot`, or, where slot < 0, is
// the tile's whole sum.
struct DepthPiece {
  int tile, begin, end, slot;
};

// Blocks make `whole` tiles each alone. Of the `rest` tiles, `sharers` blocks each take a part of
// the first shared_depth steps, side by side; the other blocks, `tail` of them, take the steps
// behind those, one tile after the other.
struct DepthPlan {
  int blocks, depth, whole = 0, rest = 0, sharers = 0, tail = 0, shared_depth = 0;

  constexpr int first_shared_tile() const { return whole * blocks; }
  constexpr int tail_depth() const { return depth - shared_depth; }
  constexpr int tail_steps() const { return rest * tail_depth(); }
  constexpr bool has_parts() const { return sharers > 1 || tail > 0; }
  constexpr int slots() const {
    return has_parts() ? sharers * rest + (tail > 0 ? tail + rest : 0) : 0;
  }
};

// tiles, depth and blocks > 0, depth · blocks² below 2^31.
constexpr DepthPlan plan_depth(int tiles, int depth, int blocks) {
  constexpr int kStoreSteps = 2;  // what storing a part takes, in steps
  constexpr int kMostVisits = 8;  // tiles of a block of the tail: each costs a store
  DepthPlan p{.blocks = blocks, .depth = depth, .whole = tiles / blocks, .rest = tiles % blocks};
  if (p.rest == 0) return p;
  p.sharers = std::min(blocks / p.rest, depth);
  p.shared_depth = depth;
  const int tail = blocks - p.sharers * p.rest;
  // Such that all blocks take the same time.
  const int shared_depth = (p.sharers * (depth + kStoreSteps) * p.rest + blocks - 1) / blocks;
  if (tail * kMostVisits < p.rest || shared_depth < p.sharers || shared_depth >= depth) return p;
  p.tail = tail;
  p.shared_depth = shared_depth;
  return p;
}

// The pieces of one block, in the order in which it makes them.
class DepthPieces {
 public:
  constexpr DepthPieces(const DepthPlan& plan, int block) : plan_(plan), block_(block) {}

  // Whether there is another.
  constexpr bool next(DepthPiece& piece) {
    const DepthPlan& p = plan_;
    if (made_ < p.whole) {
      piece = {.tile = made_++ * p.blocks + block_, .begin = 0, .end = p.depth, .slot = -1};
      return true;
    }
    if (made_++ == p.whole) {
      const int shares = p.sharers * p.rest;
      if (block_ < shares) {
        const int share = block_ / p.rest;
        piece = {.tile = p.first_shared_tile() + block_ % p.rest,
                 .begin = share * p.shared_depth / p.sharers,
                 .end = (share + 1) * p.shared_depth / p.sharers,
                 .slot = p.has_parts() ? block_ : -1};
        return true;
      }
      if (p.tail == 0) return false;
      tail_block_ = block_ - shares;
      step_ = tail_block_ * p.tail_steps() / p.tail;
      end_ = (tail_block_ + 1) * p.tail_steps() / p.tail;
    }
    if (step_ >= end_) return false;
    const int tile = step_ / p.tail_depth(), first = tile * p.tail_depth();
    const int end = std::min(end_, first + p.tail_depth());
    piece = {.tile = p.first_shared_tile() + tile,
             .begin = p.shared_depth + step_ - first,
             .end = p.shared_depth + end - first,
             .slot = p.sharers * p.rest + tail_block_ + tile};  // grows with each piece of the tail
    step_ = end;
    return true;
  }

 private:
  const DepthPlan& plan_;
  int block_, made_ = 0, tail_block_ = 0, step_ = 0, end_ = 0;
};

// body(slot) for each part of shared tile `tile`, counted from the first shared one, in the order
// of the depth.
template <class Body>
constexpr void for_slots(const DepthPlan& p, int tile, const Body& body) {
  for (int share = 0; share < p.sharers; ++share) body(share * p.rest + tile);
  if (p.tail == 0) return;
  const auto block_of = [&](int step) { return ((step + 1) * p.tail - 1) / p.tail_steps(); };
  const int first = block_of(tile * p.tail_depth());
  const int last = block_of((tile + 1) * p.tail_depth() - 1);
  for (int block = first; block <= last; ++block) body(p.sharers * p.rest + block + tile);
}

}  // namespace bench::kernels
