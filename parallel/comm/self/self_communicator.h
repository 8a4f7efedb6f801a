#pragma once
// One rank alone: every collective is a copy.

#include "parallel/comm/communicator.h"

namespace bench {

class SelfCommunicator final : public Communicator {
 public:
  // For buffers in host memory.
  SelfCommunicator() = default;
  // For buffers in the memory of `device`, which must outlive this: copies in stream order.
  explicit SelfCommunicator(Device& device) : device_(&device) {}

  int rank() const override { return 0; }
  int size() const override { return 1; }
  std::string_view kind() const override { return "self"; }
  bool capturable() const override { return device_ != nullptr; }
  void barrier(Stream) override {}
  void all_reduce(Stream s, const void* send, void* recv, int64_t count, DType, ReduceOp) override;
  void reduce_scatter(Stream s, const void* send, void* recv, int64_t count, DType,
                      ReduceOp) override;
  void all_gather(Stream s, const void* send, void* recv, int64_t count, DType) override;
  void broadcast(Stream, void*, int64_t, DType, int root) override;
  // A message to oneself would never be received by a blocking pair: refused.
  void send(Stream s, const void* buffer, int64_t count, DType, int to, int tag) override;
  void recv(Stream s, void* buffer, int64_t count, DType, int from, int tag) override;
  void exchange(Stream s, std::span<const Outgoing> sends, std::span<const Incoming> receives,
                DType, int tag) override;
  std::unique_ptr<Communicator> split(int color, int key) override;

 private:
  void copy(Stream s, const void* send, void* recv, int64_t count, DType dtype);

  Device* device_ = nullptr;
};

}  // namespace bench
