#pragma once
// MPI-3 counts are int: longer vectors go in pieces.

#include <algorithm>
#include <cstdint>

namespace bench {

inline constexpr int64_t kMostElements = int64_t{1} << 30;

// Calls piece(first element, elements) until all are done; once with 0 elements for an empty
// vector, because a collective has to be entered by every rank.
template <class Piece>
void in_pieces(int64_t count, Piece&& piece, int64_t most = kMostElements) {
  int64_t first = 0;
  do {
    const int64_t n = std::min(count - first, most);
    piece(first, static_cast<int>(n));
    first += n;
  } while (first < count);
}

}  // namespace bench
