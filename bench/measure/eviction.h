#pragma once
// Cold mode: what an iteration left in the caches is pushed out before the next one, outside the
// time. What takes its place is clean: nobody has to write it back while the next sample runs.

#include <cstdint>
#include <vector>

#include "bench/device/device.h"

namespace bench::measure {

// Owns 2 x the last-level cache and walks through it; for Settings::before_sample.
class CacheEvictor {
 public:
  // A device that does not know its cache is taken to have 64 MiB of it.
  explicit CacheEvictor(const DeviceInfo& device) : CacheEvictor(bytes_for(device)) {}
  explicit CacheEvictor(uint64_t bytes);

  // Reads one word of every cache line, with all OpenMP threads: each core has caches of its own.
  void evict();

  uint64_t bytes() const { return words_.size() * sizeof(uint64_t); }
  // Over all calls, counted from what was read.
  uint64_t lines_read() const { return lines_read_; }

  static uint64_t bytes_for(const DeviceInfo& device);

 private:
  std::vector<uint64_t> words_;  // ones
  uint64_t lines_read_ = 0;
};

}  // namespace bench::measure
