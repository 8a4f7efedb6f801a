#include "bench/measure/eviction.h"

#include <numeric>

namespace bench::measure {
namespace {

constexpr uint64_t kUnknownCacheBytes = uint64_t{64} << 20;
constexpr int64_t kWordsPerLine = 64 / sizeof(uint64_t);

}  // namespace

uint64_t CacheEvictor::bytes_for(const DeviceInfo& device) {
  return 2 *
         (device.last_level_cache_bytes > 0 ? device.last_level_cache_bytes : kUnknownCacheBytes);
}

CacheEvictor::CacheEvictor(uint64_t bytes) : words_(bytes / sizeof(uint64_t)) {}

void CacheEvictor::evict() {
  uint64_t* words = words_.data();
  const int64_t size = static_cast<int64_t>(words_.size());
#pragma omp parallel for schedule(static)
  for (int64_t i = 0; i < size; i += kWordsPerLine) ++words[i];
}

uint64_t CacheEvictor::lines_written() const {
  return std::accumulate(words_.begin(), words_.end(), uint64_t{0});
}

}  // namespace bench::measure
