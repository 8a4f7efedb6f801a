#include "parallel/comm/self/self_communicator.h"

#include <cstring>
#include <stdexcept>

namespace bench {
namespace {

void copy_elements(const void* send, void* recv, int64_t count, DType dtype) {
  if (send != recv && count > 0)
    std::memcpy(recv, send, static_cast<size_t>(count) * size_of(dtype));
}

}  // namespace

void SelfCommunicator::all_reduce(Stream, const void* send, void* recv, int64_t count, DType dtype,
                                  ReduceOp) {
  copy_elements(send, recv, count, dtype);
}

void SelfCommunicator::reduce_scatter(Stream, const void* send, void* recv, int64_t count,
                                      DType dtype, ReduceOp) {
  copy_elements(send, recv, count, dtype);
}

void SelfCommunicator::all_gather(Stream, const void* send, void* recv, int64_t count,
                                  DType dtype) {
  copy_elements(send, recv, count, dtype);
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

std::unique_ptr<Communicator> SelfCommunicator::split(int, int) {
  return std::make_unique<SelfCommunicator>();
}

}  // namespace bench
