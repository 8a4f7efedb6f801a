#pragma once
// Ranks over NCCL, one GPU each. Only NCCL's module includes this.

#include <nccl.h>

#include "bench/device/buffer.h"
#include "parallel/comm/communicator.h"
#include "parallel/comm/nccl/side_stream.h"

namespace bench::nccl {

// Calls give work to the stream and do not wait for it. Messages between two ranks arrive in the
// order in which they were sent, whatever their tags. After an error of NCCL's the communicator is
// aborted: what was under way ends, and later calls throw.
class NcclCommunicator final : public Communicator {
 public:
  // Takes the handle, which is of the current GPU; that is `device`.
  NcclCommunicator(ncclComm_t comm, Device& device);
  // Waits for what was given to it. CUDA graphs that hold calls must be gone before.
  ~NcclCommunicator() override;
  NcclCommunicator(const NcclCommunicator&) = delete;

  // Every rank's first call: connects them all. Throws EnvironmentError where one has not come
  // after deadline_s.
  void meet(double deadline_s);

  int rank() const override { return rank_; }
  int size() const override { return size_; }
  std::string_view kind() const override { return "nccl"; }
  bool capturable() const override { return true; }
  // On the stream, as everything: the host does not wait.
  void barrier(Stream s) override;
  void all_reduce(Stream s, const void* send, void* recv, int64_t count, DType, ReduceOp) override;
  void reduce_scatter(Stream s, const void* send, void* recv, int64_t count, DType,
                      ReduceOp) override;
  void all_gather(Stream s, const void* send, void* recv, int64_t count, DType) override;
  void broadcast(Stream s, void* buffer, int64_t count, DType, int root) override;
  void send(Stream s, const void* buffer, int64_t count, DType, int to, int tag) override;
  void recv(Stream s, void* buffer, int64_t count, DType, int from, int tag) override;
  void exchange(Stream s, std::span<const Outgoing> sends, std::span<const Incoming> receives,
                DType, int tag) override;
  // On a stream of its own, which waits for `s`.
  Ticket all_reduce_start(Stream s, const void* send, void* recv, int64_t count, DType,
                          ReduceOp) override;
  Ticket reduce_scatter_start(Stream s, const void* send, void* recv, int64_t count, DType,
                              ReduceOp) override;
  void wait(Stream s, Ticket ticket) override;
  std::unique_ptr<Communicator> split(int color, int key) override;

 private:
  ncclComm_t usable() const;
  void give_up();
  void check(ncclResult_t result, const char* doing);
  void check_peer(int peer, const char* doing) const;

  ncclComm_t comm_;  // nullptr once aborted
  Device& device_;
  int rank_ = 0, size_ = 1;
  Buffer<int32_t> token_;  // what a barrier reduces
  SideStream side_;
};

}  // namespace bench::nccl
