#include "bench/device/cuda/stream_timer.h"

#include <atomic>
#include <chrono>
#include <new>

#include "bench/device/cuda/cuda_check.h"

namespace bench {

// Opens the gate whatever happens between: a device that waits for a host that has given up would
// do so for the gate's whole limit.
class StreamTimer::OpenGate {
 public:
  explicit OpenGate(StreamTimer& timer) : timer_(timer) {}
  ~OpenGate() {
    std::atomic_ref(timer_.flags_->opened).store(timer_.ticket_, std::memory_order_release);
  }
  OpenGate(const OpenGate&) = delete;
  OpenGate& operator=(const OpenGate&) = delete;

 private:
  StreamTimer& timer_;
};

StreamTimer::StreamTimer() {
  void* memory = nullptr;
  check_cuda(cudaHostAlloc(&memory, sizeof(GateFlags), cudaHostAllocMapped),
             "allocating the gate's flags");
  flags_ = new (memory) GateFlags;
  void* on_device = nullptr;
  check_cuda(cudaHostGetDevicePointer(&on_device, memory, 0), "mapping the gate's flags");
  device_flags_ = static_cast<GateFlags*>(on_device);
  check_cuda(cudaEventCreate(&start_), "making an event");
  check_cuda(cudaEventCreate(&stop_), "making an event");
  // The kernel is loaded at its first launch, which may wait for the device.
  launch_gate(device_flags_, ticket_, nullptr);
  check_cuda(cudaGetLastError(), "launching the gate");
  check_cuda(cudaStreamSynchronize(nullptr), "running the gate");
}

StreamTimer::~StreamTimer() {
  cudaEventDestroy(start_);
  cudaEventDestroy(stop_);
  cudaFreeHost(flags_);
}

StreamTime StreamTimer::time(Stream s, const StreamStart& start,
                             const std::function<void()>& enqueue) {
  using HostClock = std::chrono::steady_clock;
  const cudaStream_t stream = native(s);
  ++ticket_;
  StreamTime time;
  {
    const OpenGate open_at_the_end(*this);
    if (start.gated) {
      launch_gate(device_flags_, ticket_, stream);
      check_cuda(cudaGetLastError(), "launching the gate");
    }
    if (start.align) start.align(s);
    check_cuda(cudaEventRecord(start_, stream), "marking the begin of a sample");
    const HostClock::time_point began = HostClock::now();
    enqueue();
    time.enqueue_s = std::chrono::duration<double>(HostClock::now() - began).count();
    check_cuda(cudaEventRecord(stop_, stream), "marking the end of a sample");
  }
  check_cuda(cudaEventSynchronize(stop_), "waiting for a sample");
  float milliseconds = 0;
  check_cuda(cudaEventElapsedTime(&milliseconds, start_, stop_), "reading a sample's time");
  time.device_s = 1e-3 * static_cast<double>(milliseconds);
  time.gate_held =
      start.gated && std::atomic_ref(flags_->expired).load(std::memory_order_acquire) != ticket_;
  return time;
}

}  // namespace bench
