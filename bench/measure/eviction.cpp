#include "bench/measure/eviction.h"

namespace bench::measure {
namespace {

constexpr uint64_t kUnknownCacheBytes = uint64_t{64} << 20;
constexpr int64_t kWordsPerLine = 64 / sizeof(uint64_t);

}  // namespace

uint64_t CacheEvictor::bytes_for(const DeviceInfo& device) {
  return 2 *
         (device.last_level_cache_bytes > 0 ? device.last_level_cache_bytes : kUnknownCacheBytes);
}

CacheEvictor::CacheEvictor(uint64_t bytes) : words_(bytes / sizeof(uint64_t), 1) {}

void CacheEvictor::evict() {
  const uint64_t* words = words_.data();
  uint64_t lines = 0;
  const int64_t size = static_cast<int64_t>(words_.size());
#pragma omp parallel for schedule(static) reduction(+ : lines)
  for (int64_t i = 0; i < size; i += kWordsPerLine) lines += words[i];
  lines_read_ += lines;
}

}  // namespace bench::measure
