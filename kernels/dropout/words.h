#pragma once
// The bits of neighbouring elements together: one draw serves eight of them.

#include <array>
#include <cstdint>

#include "kernels/dropout/philox.h"

namespace bench::kernels {

// dropout_bits() of elements position, ..., position + N - 1 for N of 2, 4 or 8, two to a word, the
// first in the lower half. kWhole: position is a multiple of N.
template <int N, bool kWhole>
constexpr std::array<uint32_t, N / 2> dropout_words(const Philox::Schedule& keys,
                                                    uint64_t position) {
  const uint64_t block = position / kPhiloxElements;
  const auto first = static_cast<uint32_t>(position % kPhiloxElements);
  std::array<uint32_t, N / 2> words{};
  const Philox::Counter draw = dropout_draw(keys, block);
  if constexpr (kWhole && N == 8) {
    words = draw;
  } else if constexpr (kWhole) {
    // No index that is known only when run: words stay in registers.
    for (uint32_t k = 0; k < N / 2; ++k) {
      for (uint32_t from = k; from < 4; from += N / 2) {
        if (from == first / 2 + k) words[k] = draw[from];
      }
    }
  } else {
    const Philox::Counter next = dropout_draw(keys, block + 1);
    std::array<uint32_t, 9> all = {draw[0], draw[1], draw[2], draw[3], next[0],
                                   next[1], next[2], next[3], 0};
    // Moved down by `first` elements: by four, two and one.
    for (uint32_t k = 0; k + 2 < 9; ++k) {
      if (first & 4) all[k] = all[k + 2];
    }
    for (uint32_t k = 0; k + 1 < 9; ++k) {
      if (first & 2) all[k] = all[k + 1];
    }
    for (uint32_t k = 0; k < N / 2; ++k) {
      words[k] = first & 1 ? all[k] >> 16 | all[k + 1] << 16 : all[k];
    }
  }
  return words;
}

}  // namespace bench::kernels
