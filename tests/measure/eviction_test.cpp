#include "bench/measure/eviction.h"

#include <gtest/gtest.h>

namespace bench::measure {
namespace {

TEST(CacheEvictor, owns_twice_the_last_level_cache) {
  DeviceInfo device;
  device.last_level_cache_bytes = 1 << 20;
  EXPECT_EQ(CacheEvictor(device).bytes(), 2u << 20);
}

TEST(CacheEvictor, takes_a_large_cache_where_none_is_known) {
  EXPECT_EQ(CacheEvictor::bytes_for(DeviceInfo{}), uint64_t{128} << 20);
}

TEST(CacheEvictor, reads_every_line_once_a_call) {
  CacheEvictor evictor(uint64_t{1} << 16);
  evictor.evict();
  EXPECT_EQ(evictor.lines_read(), (1u << 16) / 64);
  evictor.evict();
  EXPECT_EQ(evictor.lines_read(), 2 * (1u << 16) / 64);
}

}  // namespace
}  // namespace bench::measure
