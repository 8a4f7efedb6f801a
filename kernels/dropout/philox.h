#pragma once
// Philox4x32-10, a counter-based generator (Salmon, Moraes, Dror and Shaw 2011, sections 2.3
// and 3.3): 128 random bits as a function of key and counter, so that any of them can be made
// alone, in any order, on any thread.

#include <array>
#include <cstdint>

namespace bench::kernels {

struct Philox {
  static constexpr uint32_t kMultiplier0 = 0xD2511F53, kMultiplier1 = 0xCD9E8D57;
  static constexpr uint32_t kWeyl0 = 0x9E3779B9, kWeyl1 = 0xBB67AE85;  // golden ratio, sqrt(3) - 1
  static constexpr int kRounds = 10;

  using Counter = std::array<uint32_t, 4>;
  using Key = std::array<uint32_t, 2>;

  // The keys of the rounds: the same for every counter.
  using Schedule = std::array<Key, kRounds>;
  static constexpr Schedule schedule(Key key) {
    Schedule keys{};
    for (Key& round : keys) {
      round = key;
      key = {key[0] + kWeyl0, key[1] + kWeyl1};
    }
    return keys;
  }

  static constexpr Counter rounds(Counter c, const Schedule& keys) {
    for (int round = 0; round < kRounds; ++round) {
      const Key& key = keys[round];
      const uint64_t p0 = uint64_t{kMultiplier0} * c[0], p1 = uint64_t{kMultiplier1} * c[2];
      c = {static_cast<uint32_t>(p1 >> 32) ^ c[1] ^ key[0], static_cast<uint32_t>(p1),
           static_cast<uint32_t>(p0 >> 32) ^ c[3] ^ key[1], static_cast<uint32_t>(p0)};
    }
    return c;
  }
  static constexpr Counter random(Counter c, Key key) { return rounds(c, schedule(key)); }
};

// Elements that one counter serves: 16 bits each.
inline constexpr uint64_t kPhiloxElements = 8;

// Of a dropout's seed.
constexpr Philox::Schedule dropout_keys(uint64_t seed) {
  return Philox::schedule({static_cast<uint32_t>(seed), static_cast<uint32_t>(seed >> 32)});
}

// The bits of elements 8 block, ..., 8 block + 7: word by word, low half first.
constexpr Philox::Counter dropout_draw(const Philox::Schedule& keys, uint64_t block) {
  return Philox::rounds({static_cast<uint32_t>(block), static_cast<uint32_t>(block >> 32), 0, 0},
                        keys);
}

// The 16 bits of the element at `position`.
constexpr uint32_t dropout_bits(uint64_t seed, uint64_t position) {
  const uint64_t element = position % kPhiloxElements;
  const auto words = dropout_draw(dropout_keys(seed), position / kPhiloxElements);
  return (words[element / 2] >> (element % 2 * 16)) & 0xffff;
}

}  // namespace bench::kernels
