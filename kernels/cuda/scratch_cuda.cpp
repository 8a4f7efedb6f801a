#include <fmt/format.h>

#include <atomic>
#include <map>
#include <mutex>
#include <utility>

#include "bench/base/status.h"
#include "kernels/cuda/check.h"
#include "kernels/cuda/scratch.h"

namespace bench::kernels::cuda {
namespace {

std::atomic<uint64_t> moves = 0;

struct Held {
  void* memory = nullptr;
  size_t bytes = 0;
};

void grow(Held& held, cudaStream_t stream, size_t bytes) {
  cudaStreamCaptureStatus capture = cudaStreamCaptureStatusNone;
  check(cudaStreamIsCapturing(stream, &capture), "asking whether a graph is recorded");
  if (capture != cudaStreamCaptureStatusNone)
    throw EnvironmentError(fmt::format(
        "an op needs {} bytes of scratch while a graph is recorded; run it once before", bytes));
  check(cudaStreamSynchronize(stream), "waiting for a stream");
  if (held.memory != nullptr) ++moves;
  check(cudaFree(std::exchange(held.memory, nullptr)), "freeing scratch");
  held.bytes = 0;
  check(cudaMalloc(&held.memory, bytes), "allocating scratch");
  held.bytes = bytes;
}

}  // namespace

std::byte* scratch(const Context& context, size_t bytes) {
  static std::mutex mutex;
  static std::map<std::pair<int, cudaStream_t>, Held> all;
  const std::scoped_lock lock(mutex);
  const cudaStream_t stream = stream_of(context);
  Held& held = all[{context.device.info().index, stream}];
  if (held.bytes < bytes) grow(held, stream, bytes);
  return static_cast<std::byte*>(held.memory);
}

uint64_t scratch_moves() { return moves; }

int multiprocessors() {
  static const int count = [] {
    int device = 0, value = 0;
    check(cudaGetDevice(&device), "asking for the device");
    check(cudaDeviceGetAttribute(&value, cudaDevAttrMultiProcessorCount, device),
          "asking for the number of multiprocessors");
    return value;
  }();
  return count;
}

}  // namespace bench::kernels::cuda
