#include "parallel/comm/nccl/side_stream.h"

#include <stdexcept>
#include <string>

namespace bench::nccl {
namespace {

cudaEvent_t make_event() {
  cudaEvent_t event = nullptr;
  check_cuda(cudaEventCreateWithFlags(&event, cudaEventDisableTiming), "cudaEventCreate");
  return event;
}

// Before all other work: the collective holds few multiprocessors, and others wait for it.
cudaStream_t make_stream() {
  int lowest = 0, highest = 0;
  check_cuda(cudaDeviceGetStreamPriorityRange(&lowest, &highest),
             "cudaDeviceGetStreamPriorityRange");
  cudaStream_t stream = nullptr;
  check_cuda(cudaStreamCreateWithPriority(&stream, cudaStreamNonBlocking, highest),
             "cudaStreamCreate");
  return stream;
}

}  // namespace

void check_cuda(cudaError_t status, const char* doing) {
  if (status != cudaSuccess)
    throw std::runtime_error(std::string(doing) + ": " + cudaGetErrorString(status));
}

SideStream::~SideStream() {
  for (const auto& [mark, event] : marks_) cudaEventDestroy(event);
  for (const cudaEvent_t event : spare_) cudaEventDestroy(event);
  if (begun_ != nullptr) cudaEventDestroy(begun_);
  if (stream_ != nullptr) cudaStreamDestroy(stream_);
}

cudaStream_t SideStream::begin(cudaStream_t from) {
  if (stream_ == nullptr) stream_ = make_stream();
  if (begun_ == nullptr) begun_ = make_event();
  check_cuda(cudaEventRecord(begun_, from), "cudaEventRecord");
  check_cuda(cudaStreamWaitEvent(stream_, begun_), "cudaStreamWaitEvent");
  return stream_;
}

uint64_t SideStream::mark() {
  const cudaEvent_t event = spare_event();
  check_cuda(cudaEventRecord(event, stream_), "cudaEventRecord");
  marks_[++last_mark_] = event;
  return last_mark_;
}

// The wait is for the record made before it, so the event may be recorded anew at once.
void SideStream::join(cudaStream_t to, uint64_t mark) {
  const auto found = marks_.find(mark);
  if (found == marks_.end()) return;
  check_cuda(cudaStreamWaitEvent(to, found->second), "cudaStreamWaitEvent");
  spare_.push_back(found->second);
  marks_.erase(found);
}

cudaEvent_t SideStream::spare_event() {
  if (spare_.empty()) return make_event();
  const cudaEvent_t event = spare_.back();
  spare_.pop_back();
  return event;
}

}  // namespace bench::nccl
