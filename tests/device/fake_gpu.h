#pragma once
// A GPU in ordinary memory, for tests of what is around it: it runs what it is given at once, and
// says of itself what a test wants.

#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <unordered_map>
#include <utility>

#include "bench/base/clock.h"
#include "bench/device/gpu_device.h"

namespace bench::test {

class FakeGpu : public GpuDevice {
 public:
  explicit FakeGpu(const GpuRequest& request = {}) {
    info_ = {.kind = DeviceKind::cuda,
             .name = "Fake GPU",
             .index = request.local_rank,
             .uuid = "GPU-fake-" + std::to_string(request.local_rank),
             .threads = request.threads,
             .last_level_cache_bytes = 1 << 20,
             .memory_bytes = uint64_t{1} << 30};
    facts_.runtime = "13.0";
    facts_.driver = "580.0 (CUDA 13.0)";
    facts_.compute_capability = "9.0";
    facts_.multiprocessors = 2;
    facts_.total_memory_bytes = info_.memory_bytes;
    facts_.choice = "GPU " + std::to_string(request.local_rank);
  }
  ~FakeGpu() override {
    for (const auto& [memory, bytes] : held_) std::free(memory);
  }

  const DeviceInfo& info() const override { return info_; }
  const GpuFacts& facts() const override { return facts_; }
  void share_among(int ranks) override {
    info_.memory_bytes = facts_.total_memory_bytes / static_cast<uint64_t>(ranks);
  }

  void* allocate(size_t bytes) override {
    void* memory = std::aligned_alloc(64, (bytes + 63) / 64 * 64);
    held_[memory] = bytes;
    in_use_ += bytes;
    peak_ = in_use_ > peak_ ? in_use_ : peak_;
    return memory;
  }
  void release(void* memory) noexcept override {
    in_use_ -= held_[memory];
    held_.erase(memory);
    std::free(memory);
  }
  void copy(Stream, void* to, const void* from, size_t bytes) override {
    std::memcpy(to, from, bytes);
  }
  void fill(Stream, void* to, int byte, size_t bytes) override { std::memset(to, byte, bytes); }
  void synchronize(Stream) override { ++synchronized; }
  Stream create_stream() override { return {reinterpret_cast<void*>(++streams_made)}; }
  void destroy_stream(Stream) noexcept override { ++streams_destroyed; }

  // The host's time is what the enqueue takes, the device's a multiple of it.
  StreamTime time(Stream s, const StreamStart& start,
                  const std::function<void()>& enqueue) override {
    last_stream = s;
    gated_calls += start.gated ? 1 : 0;
    if (start.align) start.align(s);
    const int64_t began = clock.now_ns();
    enqueue();
    const double enqueue_s = static_cast<double>(clock.now_ns() - began) * 1e-9;
    return {.device_s = device_per_host * enqueue_s,
            .enqueue_s = enqueue_s,
            .gate_held = start.gated && gates_hold};
  }
  void stamp(Stream s) noexcept override { stamped.push_back(s); }
  std::vector<int64_t> read_stamps() override {
    stamped.clear();
    return std::exchange(stamps_to_read, {});
  }
  void evict_cache() override { ++evictions; }
  GpuMemory memory() override {
    if (memory_fails) throw std::runtime_error("CUDA, asking for free memory: it burnt");
    return {.in_use = in_use_,
            .peak_in_use = peak_,
            .reserved = reserved,
            .free = info_.memory_bytes - reserved - beside,
            .total = info_.memory_bytes};
  }
  void reset_memory_peak() override { peak_ = in_use_; }
  GpuHealth health() override { return now; }

  SteadyClock clock;
  double device_per_host = 2;
  bool gates_hold = true, memory_fails = false;
  int gated_calls = 0, evictions = 0, synchronized = 0;
  intptr_t streams_made = 0, streams_destroyed = 0;
  uint64_t reserved = 0, beside = 0;
  Stream last_stream;
  std::vector<Stream> stamped;
  std::vector<int64_t> stamps_to_read;
  GpuHealth now;

 protected:
  DeviceInfo info_;
  GpuFacts facts_;

 private:
  std::unordered_map<void*, size_t> held_;
  uint64_t in_use_ = 0, peak_ = 0;
};

}  // namespace bench::test
