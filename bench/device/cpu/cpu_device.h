#pragma once
// The CPU as a device: one per rank, with the threads and the share of memory the rank was given.

#include "bench/device/device.h"

namespace bench {

class CpuDevice final : public Device {
 public:
  // memory_bytes: this rank's share, for planning only; 0 = unknown.
  explicit CpuDevice(int threads, uint64_t memory_bytes = 0);

  const DeviceInfo& info() const override { return info_; }
  void* allocate(size_t bytes) override;
  void release(void* memory) noexcept override;
  void copy(Stream s, void* to, const void* from, size_t bytes) override;
  void fill(Stream s, void* to, int byte, size_t bytes) override;
  void synchronize(Stream) override {}
  Stream create_stream() override { return {}; }
  void destroy_stream(Stream) noexcept override {}

 private:
  DeviceInfo info_;
};

}  // namespace bench
