#pragma once
// How the rows that belong to one token are shared where it occurs often. Tokens are sorted, so
// that equal ones stand side by side, in the order in which they came; such a segment is added up
// in pieces of so many, each by whoever has its first place.

#include <cstdint>

namespace bench::kernels {

inline constexpr int64_t kPieceTokens = 64;

// Of place `at` in a segment that begins at `start`.
struct TokenPlace {
  int64_t at, start;

  constexpr bool begins_piece() const { return (at - start) % kPieceTokens == 0; }
  // The first piece goes straight to the gradient, so that a segment of one piece is added up in
  // ascending token order. The sum of another waits in a slot of its own: in each stretch of
  // kPieceTokens places at most one piece that is not the first of its segment begins, and those of
  // one segment begin in stretches that follow each other.
  constexpr bool begins_segment() const { return at == start; }
  constexpr int64_t slot() const { return at / kPieceTokens; }
  constexpr bool begins_second_piece() const { return at - start == kPieceTokens; }
};

constexpr int64_t piece_slots(int64_t tokens) { return (tokens + kPieceTokens - 1) / kPieceTokens; }

}  // namespace bench::kernels
