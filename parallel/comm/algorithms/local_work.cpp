#include "parallel/comm/algorithms/local_work.h"

#include <algorithm>
#include <cstring>

#include "parallel/comm/reduce.h"

namespace bench::algorithms {

void HostWork::reduce(Stream, void* into, const void* from, int64_t count, DType dtype,
                      ReduceOp op) {
  reduce_into(into, from, count, dtype, op);
}

void HostWork::copy(Stream, void* to, const void* from, size_t bytes) {
  if (bytes > 0) std::memcpy(to, from, bytes);
}

void* HostWork::scratch(size_t place, size_t bytes) {
  memory_.resize(std::max(memory_.size(), place + 1));
  if (memory_[place].size() < bytes) memory_[place].resize(bytes);
  return memory_[place].data();
}

void* DeviceWork::scratch(size_t place, size_t bytes) {
  memory_.resize(std::max(memory_.size(), place + 1));
  Buffer<unsigned char>& memory = memory_[place];
  const auto size = static_cast<int64_t>(bytes);
  if (memory.size() < size || memory.data() == nullptr) {
    memory = Buffer<unsigned char>();
    memory = Buffer<unsigned char>(device_, size);
  }
  return memory.data();
}

}  // namespace bench::algorithms
