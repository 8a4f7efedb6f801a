#include "bench/device/cuda/stamps.h"

#include <cmath>
#include <utility>

#include "bench/device/cuda/cuda_check.h"

namespace bench {

Stamps::~Stamps() {
  for (const cudaEvent_t event : events_) cudaEventDestroy(event);
}

cudaError_t Stamps::record(Stream s) {
  if (used_ == events_.size()) {
    cudaEvent_t event = nullptr;
    if (const cudaError_t status = cudaEventCreate(&event); status != cudaSuccess) return status;
    events_.push_back(event);
  }
  return cudaEventRecord(events_[used_++], native(s));
}

void Stamps::add(Stream s) noexcept {
  const cudaError_t status = failure_ == cudaSuccess ? record(s) : failure_;
  if (failure_ == cudaSuccess) failure_ = status;
}

std::vector<int64_t> Stamps::read() {
  const size_t count = std::exchange(used_, 0);
  check_cuda(std::exchange(failure_, cudaSuccess), "marking when a stream passes by");
  std::vector<int64_t> passed_ns(count);
  for (size_t i = 0; i < count; ++i) {
    float milliseconds = 0;
    check_cuda(cudaEventSynchronize(events_[i]), "waiting for a mark");
    check_cuda(cudaEventElapsedTime(&milliseconds, events_[0], events_[i]), "reading a mark");
    passed_ns[i] = std::llround(1e6 * static_cast<double>(milliseconds));
  }
  return passed_ns;
}

}  // namespace bench
