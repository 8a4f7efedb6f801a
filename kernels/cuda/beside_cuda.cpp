#include <map>
#include <mutex>
#include <utility>

#include "kernels/cuda/beside.h"
#include "kernels/cuda/check.h"

namespace bench::kernels::cuda {
namespace {

// Of one stream. A wait is for the record made before it, so the events serve again at once.
struct Side {
  cudaStream_t stream = nullptr;
  cudaEvent_t begun = nullptr, ended = nullptr;

  Side() {
    check(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "creating a stream");
    check(cudaEventCreateWithFlags(&begun, cudaEventDisableTiming), "creating an event");
    check(cudaEventCreateWithFlags(&ended, cudaEventDisableTiming), "creating an event");
  }
};

// Made with an op's first call on a stream, which is not timed. Never destroyed: the driver may be
// gone by then.
Side& side_of(const Context& context) {
  static std::mutex mutex;
  static auto& all = *new std::map<std::pair<int, cudaStream_t>, Side>;
  const std::scoped_lock lock(mutex);
  return all[{context.device.info().index, stream_of(context)}];
}

void follow(cudaStream_t stream, cudaEvent_t event, cudaStream_t other) {
  check(cudaEventRecord(event, other), "recording an event");
  check(cudaStreamWaitEvent(stream, event), "waiting for an event");
}

}  // namespace

Beside::Beside(const Context& context) : of_(context), beside_(context) {
  const Side& side = side_of(context);
  beside_.stream = Stream{side.stream};
  follow(side.stream, side.begun, stream_of(context));
}

void Beside::join() {
  const Side& side = side_of(of_);
  follow(stream_of(of_), side.ended, side.stream);
}

}  // namespace bench::kernels::cuda
