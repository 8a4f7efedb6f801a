#pragma once
// Times work on a stream by events, behind a gate that lets launches queue up before the first one
// starts.

#include <cuda_runtime_api.h>

#include <functional>

#include "bench/device/cuda/device_kernels.h"
#include "bench/device/gpu_device.h"

namespace bench {

// Of the device that is current when it is made.
class StreamTimer {
 public:
  StreamTimer();
  ~StreamTimer();
  StreamTimer(const StreamTimer&) = delete;
  StreamTimer& operator=(const StreamTimer&) = delete;

  // As GpuDevice::time.
  StreamTime time(Stream s, const StreamStart& start, const std::function<void()>& enqueue);

 private:
  class OpenGate;

  GateFlags* flags_ = nullptr;         // as the host sees them
  GateFlags* device_flags_ = nullptr;  // as the device does
  cudaEvent_t start_ = nullptr, stop_ = nullptr;
  uint32_t ticket_ = 0;
};

}  // namespace bench
