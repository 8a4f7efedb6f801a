#include "tests/comm/through_device.h"

namespace bench::comm_checks {
namespace {

size_t bytes_of(int64_t count, DType dtype) { return static_cast<size_t>(count) * size_of(dtype); }

}  // namespace

ThroughDevice::Memory ThroughDevice::on_device(const void* from, size_t bytes) {
  Memory memory(device_, static_cast<int64_t>(bytes));
  if (bytes > 0) device_.copy(stream_, memory.data(), from, bytes);
  return memory;
}

void ThroughDevice::bring_back(void* to, const void* from, size_t bytes) {
  if (bytes > 0) device_.copy(stream_, to, from, bytes);
  device_.synchronize(stream_);
}

void ThroughDevice::barrier(Stream) {
  inner_.barrier(stream_);
  device_.synchronize(stream_);
}

void ThroughDevice::all_reduce(Stream, const void* send, void* recv, int64_t count, DType dtype,
                               ReduceOp op) {
  const size_t bytes = bytes_of(count, dtype);
  Memory to = on_device(recv, bytes);
  Memory from = send == recv ? Memory() : on_device(send, bytes);
  inner_.all_reduce(stream_, send == recv ? to.data() : from.data(), to.data(), count, dtype, op);
  bring_back(recv, to.data(), bytes);
}

void ThroughDevice::reduce_scatter(Stream, const void* send, void* recv, int64_t count, DType dtype,
                                   ReduceOp op) {
  const size_t bytes = bytes_of(count, dtype);
  Memory from = on_device(send, bytes * static_cast<size_t>(size()));
  Memory to = send == recv ? Memory() : on_device(recv, bytes);
  unsigned char* result = send == recv ? from.data() : to.data();
  inner_.reduce_scatter(stream_, from.data(), result, count, dtype, op);
  bring_back(recv, result, bytes);
}

void ThroughDevice::all_gather(Stream, const void* send, void* recv, int64_t count, DType dtype) {
  const size_t bytes = bytes_of(count, dtype), own = bytes * static_cast<size_t>(rank());
  Memory all = on_device(recv, bytes * static_cast<size_t>(size()));
  const bool in_place = send == static_cast<unsigned char*>(recv) + own;
  Memory mine = in_place ? Memory() : on_device(send, bytes);
  inner_.all_gather(stream_, in_place ? all.data() + own : mine.data(), all.data(), count, dtype);
  bring_back(recv, all.data(), bytes * static_cast<size_t>(size()));
}

void ThroughDevice::broadcast(Stream, void* buffer, int64_t count, DType dtype, int root) {
  Memory memory = on_device(buffer, bytes_of(count, dtype));
  inner_.broadcast(stream_, memory.data(), count, dtype, root);
  bring_back(buffer, memory.data(), bytes_of(count, dtype));
}

void ThroughDevice::send(Stream, const void* buffer, int64_t count, DType dtype, int to, int tag) {
  Memory memory = on_device(buffer, bytes_of(count, dtype));
  inner_.send(stream_, memory.data(), count, dtype, to, tag);
  device_.synchronize(stream_);
}

void ThroughDevice::recv(Stream, void* buffer, int64_t count, DType dtype, int from, int tag) {
  Memory memory = on_device(buffer, bytes_of(count, dtype));
  inner_.recv(stream_, memory.data(), count, dtype, from, tag);
  bring_back(buffer, memory.data(), bytes_of(count, dtype));
}

void ThroughDevice::exchange(Stream, std::span<const Outgoing> sends,
                             std::span<const Incoming> receives, DType dtype, int tag) {
  std::vector<Memory> memory;
  std::vector<Outgoing> out;
  std::vector<Incoming> in;
  for (const Outgoing& m : sends) {
    memory.push_back(on_device(m.buffer, bytes_of(m.count, dtype)));
    out.push_back({.buffer = memory.back().data(), .count = m.count, .to = m.to});
  }
  for (const Incoming& m : receives) {
    memory.push_back(on_device(m.buffer, bytes_of(m.count, dtype)));
    in.push_back({.buffer = memory.back().data(), .count = m.count, .from = m.from});
  }
  inner_.exchange(stream_, out, in, dtype, tag);
  for (size_t i = 0; i < in.size(); ++i)
    bring_back(receives[i].buffer, in[i].buffer, bytes_of(in[i].count, dtype));
}

Communicator::Ticket ThroughDevice::all_reduce_start(Stream, const void* send, void* recv,
                                                     int64_t count, DType dtype, ReduceOp op) {
  const size_t bytes = bytes_of(count, dtype);
  Started s{.send = send == recv ? Memory() : on_device(send, bytes),
            .recv = on_device(recv, bytes),
            .to = recv};
  const Ticket inner = inner_.all_reduce_start(
      stream_, send == recv ? s.recv.data() : s.send.data(), s.recv.data(), count, dtype, op);
  started_.emplace(++last_, std::pair(inner, std::move(s)));
  return last_;
}

void ThroughDevice::wait(Stream, Ticket ticket) {
  const auto found = started_.find(ticket);
  if (found == started_.end()) return inner_.wait(stream_, ticket);
  inner_.wait(stream_, found->second.first);
  const Started& done = found->second.second;
  bring_back(done.to, done.recv.data(), done.recv.bytes());
  started_.erase(found);
}

std::unique_ptr<Communicator> ThroughDevice::split(int color, int key) {
  return std::make_unique<ThroughDevice>(inner_.split(color, key), device_, stream_);
}

}  // namespace bench::comm_checks
