#pragma once
// FNV-1a, 64 bit: enough to notice that two ranks do not hold the same thing.

#include <cstdint>
#include <string_view>

namespace bench {

constexpr uint64_t kHashStart = 14695981039346656037ULL;

// Continue a hash over more bytes. Feed a separator between fields that could run into each other.
uint64_t hash_bytes(std::string_view bytes, uint64_t start = kHashStart);

}  // namespace bench
