#pragma once
// Times of what is given to a stream, for choices that are made once. They wait for it: not for
// calls that are measured, nor while a graph is recorded.

#include <cuda_runtime_api.h>

#include "kernels/cuda/check.h"

namespace bench::kernels::cuda {

class Stopwatch {
 public:
  Stopwatch() {
    check(cudaEventCreate(&begin_), "creating an event");
    check(cudaEventCreate(&end_), "creating an event");
  }
  ~Stopwatch() {
    cudaEventDestroy(begin_);
    cudaEventDestroy(end_);
  }
  Stopwatch(const Stopwatch&) = delete;
  Stopwatch& operator=(const Stopwatch&) = delete;

  // Seconds that each of so many calls of `enqueue` takes on the stream.
  template <class Enqueue>
  double seconds(cudaStream_t stream, int times, const Enqueue& enqueue) {
    check(cudaEventRecord(begin_, stream), "recording an event");
    for (int i = 0; i < times; ++i) enqueue();
    check(cudaEventRecord(end_, stream), "recording an event");
    check(cudaEventSynchronize(end_), "waiting for an event");
    float milliseconds = 0;
    check(cudaEventElapsedTime(&milliseconds, begin_, end_), "reading a time");
    return milliseconds / 1e3 / times;
  }

 private:
  cudaEvent_t begin_ = nullptr, end_ = nullptr;
};

// Whether a graph is recorded on the stream.
inline bool is_capturing(cudaStream_t stream) {
  cudaStreamCaptureStatus status = cudaStreamCaptureStatusNone;
  check(cudaStreamIsCapturing(stream, &status), "asking whether a graph is recorded");
  return status != cudaStreamCaptureStatusNone;
}

}  // namespace bench::kernels::cuda
