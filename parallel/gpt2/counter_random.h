#pragma once
// Random numbers as a function of (key, counter): any element can be made alone, on any rank, in
// any order.

#include <cstdint>

namespace bench::gpt2 {

// SplitMix64 (Steele 2014): element `counter` of the sequence that starts at `key`.
constexpr uint64_t random_bits(uint64_t key, uint64_t counter) {
  uint64_t z = key + (counter + 1) * 0x9e3779b97f4a7c15ULL;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
  return z ^ (z >> 31);
}

// In [0, 1).
constexpr double random_unit(uint64_t key, uint64_t counter) {
  return static_cast<double>(random_bits(key, counter) >> 11) * 0x1p-53;
}

}  // namespace bench::gpt2
