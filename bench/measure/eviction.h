#pragma once
// Cold mode: what an iteration left in the caches is pushed out before the next one, outside the
// time.

#include <cstdint>
#include <vector>

#include "bench/device/device.h"

namespace bench::measure {

// Owns 2 x the last-level cache and walks through it. Goes into Settings::before_sample:
//   settings.before_sample = [evictor = std::make_shared<CacheEvictor>(device.info())] {
//   evictor->evict(); };
class CacheEvictor {
 public:
  // A device that does not know its cache is taken to have 64 MiB of it.
  explicit CacheEvictor(const DeviceInfo& device) : CacheEvictor(bytes_for(device)) {}
  explicit CacheEvictor(uint64_t bytes);

  // Reads and writes one word of every cache line, with all OpenMP threads: each core has caches of
  // its own.
  void evict();

  uint64_t bytes() const { return words_.size() * sizeof(uint64_t); }
  // Sum of all words: how many lines were written, over all calls.
  uint64_t lines_written() const;

  static uint64_t bytes_for(const DeviceInfo& device);

 private:
  std::vector<uint64_t> words_;
};

}  // namespace bench::measure
