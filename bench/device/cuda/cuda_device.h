#pragma once
// One GPU as a device of this rank.

#include <cuda_runtime_api.h>

#include <vector>

#include "bench/device/cuda/gpu_choice.h"
#include "bench/device/cuda/memory_pool.h"
#include "bench/device/cuda/nvml.h"
#include "bench/device/cuda/staging.h"
#include "bench/device/cuda/stamps.h"
#include "bench/device/cuda/stream_timer.h"
#include "bench/device/gpu_device.h"

namespace bench {

// cudaMalloc, for the pool.
class DriverMemory final : public MemoryPool::Source {
 public:
  void* take(uint64_t bytes) override;
  void give_back(void* memory) noexcept override;
  void wait_idle() override;
};

// Streams do not wait for the default stream, nor it for them: what is given to the default stream
// (copy, fill) has finished on return, and synchronising it waits for the whole device.
class CudaDevice final : public GpuDevice {
 public:
  // The current device of this thread, and of it alone, is `choice.index` from here on.
  CudaDevice(const GpuChoice& choice, int threads);
  ~CudaDevice() override;

  const DeviceInfo& info() const override { return info_; }
  const GpuFacts& facts() const override { return facts_; }
  void share_among(int ranks) override;

  void* allocate(size_t bytes) override;
  void release(void* memory) noexcept override;
  void copy(Stream s, void* to, const void* from, size_t bytes) override;
  void fill(Stream s, void* to, int byte, size_t bytes) override;
  void synchronize(Stream s) override;
  // Destroyed ones are kept and given again: ops keep scratch memory by stream.
  Stream create_stream() override;
  void destroy_stream(Stream s) noexcept override;

  StreamTime time(Stream s, const StreamStart& start,
                  const std::function<void()>& enqueue) override {
    return timer_.time(s, start, enqueue);
  }
  void stamp(Stream s) noexcept override { stamps_.add(s); }
  std::vector<int64_t> read_stamps() override { return stamps_.read(); }
  void evict_cache() override;
  GpuMemory memory() override;
  void reset_memory_peak() override { pool_.reset_peak(); }
  GpuHealth health() override { return nvml_.read(); }

 private:
  void finish_default(Stream s);
  void open_evictor();

  DeviceInfo info_;
  GpuFacts facts_;
  DriverMemory driver_memory_;
  MemoryPool pool_;
  Staging staging_;
  StreamTimer timer_;
  Stamps stamps_;
  Nvml nvml_;
  std::vector<cudaStream_t> streams_, free_streams_;
  void* evictor_ = nullptr;  // twice the last-level cache, and behind it the sink of the reading
  size_t evictor_bytes_ = 0;
};

}  // namespace bench
