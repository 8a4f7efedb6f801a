#include "bench/base/hash.h"

namespace bench {

uint64_t hash_bytes(std::string_view bytes, uint64_t start) {
  uint64_t h = start;
  for (const char c : bytes) {
    h ^= static_cast<unsigned char>(c);
    h *= 1099511628211ULL;
  }
  return h;
}

}  // namespace bench
