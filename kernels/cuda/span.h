#pragma once
// A row that need not begin at a multiple of 16 bytes, as packs that do.

#include <cstdint>

namespace bench::kernels::cuda {

// Elements [0, head), then `packs` packs of `width` elements, then `tail` elements.
struct Span {
  int64_t head, packs, tail;

  constexpr int64_t body_end(int64_t width) const { return head + packs * width; }
  // Of the elements before and behind the packs, the i-th.
  constexpr int64_t outside(int64_t i, int64_t width) const {
    return i < head ? i : i + packs * width;
  }
};

// Of `size` elements of `element_bytes` from this address on, itself a multiple of those.
constexpr Span span_of(uint64_t address, int64_t size, int64_t element_bytes) {
  const int64_t width = 16 / element_bytes;
  const int64_t before = static_cast<int64_t>((16 - address % 16) % 16) / element_bytes;
  const int64_t head = before < size ? before : size, packs = (size - head) / width;
  return {.head = head, .packs = packs, .tail = size - head - packs * width};
}

// The same, all of it outside of packs.
constexpr Span span_without_packs(int64_t size) { return {.head = size, .packs = 0, .tail = 0}; }

}  // namespace bench::kernels::cuda
