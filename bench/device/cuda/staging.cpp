#include "bench/device/cuda/staging.h"

#include <cstring>

#include "bench/device/cuda/cuda_check.h"

namespace bench {
namespace {

constexpr size_t kBytes = size_t{16} << 20;
constexpr size_t kLeastPiece = size_t{1} << 20;

}  // namespace

Staging::~Staging() {
  ring_.reset();
  for (const cudaEvent_t event : free_events_) cudaEventDestroy(event);
  cudaFreeHost(pinned_);
}

void Staging::open() {
  void* memory = nullptr;
  check_cuda(cudaHostAlloc(&memory, kBytes, cudaHostAllocDefault), "allocating pinned memory");
  pinned_ = static_cast<std::byte*>(memory);
  ring_ = std::make_unique<StagingRing>(kBytes, kLeastPiece, *this);
}

void Staging::copy_to_device(Stream s, void* to, const void* from, size_t bytes) {
  if (!ring_) open();
  auto* target = static_cast<std::byte*>(to);
  const auto* source = static_cast<const std::byte*>(from);
  while (bytes > 0) {
    const StagingRing::Piece piece = ring_->take(bytes);
    std::memcpy(pinned_ + piece.offset, source, piece.bytes);
    check_cuda(cudaMemcpyAsync(target, pinned_ + piece.offset, piece.bytes, cudaMemcpyHostToDevice,
                               native(s)),
               "copying to the device");
    ring_->give(s);
    target += piece.bytes;
    source += piece.bytes;
    bytes -= piece.bytes;
  }
}

void* Staging::record(Stream s) {
  cudaEvent_t event = nullptr;
  if (free_events_.empty()) {
    check_cuda(cudaEventCreateWithFlags(&event, cudaEventDisableTiming), "making an event");
  } else {
    event = free_events_.back();
    free_events_.pop_back();
  }
  const cudaError_t status = cudaEventRecord(event, native(s));
  if (status != cudaSuccess) free_events_.push_back(event);
  check_cuda(status, "marking a copy");
  return event;
}

bool Staging::passed(void* fence) {
  const cudaError_t status = cudaEventQuery(static_cast<cudaEvent_t>(fence));
  if (status == cudaErrorNotReady) return false;
  check_cuda(status, "looking for the end of a copy");
  return true;
}

void Staging::wait(void* fence) {
  check_cuda(cudaEventSynchronize(static_cast<cudaEvent_t>(fence)), "waiting for a copy");
}

void Staging::forget(void* fence) noexcept {
  free_events_.push_back(static_cast<cudaEvent_t>(fence));
}

}  // namespace bench
