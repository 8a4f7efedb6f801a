#include "parallel/comm/self/self_communicator.h"

#include <cstring>
#include <stdexcept>

namespace bench {

void SelfCommunicator::copy(Stream s, const void* send, void* recv, int64_t count, DType dtype) {
  if (send == recv || count == 0) return;
  const size_t bytes = static_cast<size_t>(count) * size_of(dtype);
  if (device_ != nullptr) {
    device_->copy(s, recv, send, bytes);
  } else {
    std::memcpy(recv, send, bytes);
  }
}

void SelfCommunicator::all_reduce(Stream s, const void* send, void* recv, int64_t count,
                                  DType dtype, ReduceOp) {
  copy(s, send, recv, count, dtype);
}

void SelfCommunicator::reduce_scatter(Stream s, const void* send, void* recv, int64_t count,
                                      DType dtype, ReduceOp) {
  copy(s, send, recv, count, dtype);
}

void SelfCommunicator::all_gather(Stream s, const void* send, void* recv, int64_t count,
                                  DType dtype) {
  copy(s, send, recv, count, dtype);
}

void SelfCommunicator::broadcast(Stream, void*, int64_t, DType, int root) {
  if (root != 0)
    throw std::invalid_argument("broadcast: the root must be 0 where there is one rank");
}

void SelfCommunicator::send(Stream, const void*, int64_t, DType, int, int) {
  throw std::invalid_argument("send: there is no other rank");
}

void SelfCommunicator::recv(Stream, void*, int64_t, DType, int, int) {
  throw std::invalid_argument("recv: there is no other rank");
}

void SelfCommunicator::exchange(Stream, std::span<const Outgoing> sends,
                                std::span<const Incoming> receives, DType, int) {
  if (!sends.empty() || !receives.empty())
    throw std::invalid_argument("exchange: there is no other rank");
}

std::unique_ptr<Communicator> SelfCommunicator::split(int, int) {
  return std::make_unique<SelfCommunicator>(*this);
}

}  // namespace bench
