#pragma once
// Lets the checks, which hold host memory, test a communicator of device memory: every call copies
// its buffers into memory of the device, makes the call there on a stream, and copies back.

#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "bench/device/buffer.h"
#include "parallel/comm/communicator.h"

namespace bench::comm_checks {

// What is in place for the caller is in place on the device, too.
class ThroughDevice final : public Communicator {
 public:
  // `inner` and `device` must outlive this.
  ThroughDevice(Communicator& inner, Device& device, Stream stream)
      : inner_(inner), device_(device), stream_(stream) {}
  ThroughDevice(std::unique_ptr<Communicator> inner, Device& device, Stream stream)
      : owned_(std::move(inner)), inner_(*owned_), device_(device), stream_(stream) {}

  int rank() const override { return inner_.rank(); }
  int size() const override { return inner_.size(); }
  std::string_view kind() const override { return inner_.kind(); }
  bool capturable() const override { return inner_.capturable(); }
  void barrier(Stream) override;
  void all_reduce(Stream, const void* send, void* recv, int64_t count, DType, ReduceOp) override;
  void reduce_scatter(Stream, const void* send, void* recv, int64_t count, DType,
                      ReduceOp) override;
  void all_gather(Stream, const void* send, void* recv, int64_t count, DType) override;
  void broadcast(Stream, void* buffer, int64_t count, DType, int root) override;
  void send(Stream, const void* buffer, int64_t count, DType, int to, int tag) override;
  void recv(Stream, void* buffer, int64_t count, DType, int from, int tag) override;
  void exchange(Stream, std::span<const Outgoing> sends, std::span<const Incoming> receives, DType,
                int tag) override;
  Ticket all_reduce_start(Stream, const void* send, void* recv, int64_t count, DType,
                          ReduceOp) override;
  void wait(Stream, Ticket ticket) override;
  std::unique_ptr<Communicator> split(int color, int key) override;

 private:
  using Memory = Buffer<unsigned char>;
  // A started call's memory, and where its result goes.
  struct Started {
    Memory send, recv;
    void* to = nullptr;
  };

  Memory on_device(const void* from, size_t bytes);
  void bring_back(void* to, const void* from, size_t bytes);

  std::unique_ptr<Communicator> owned_;
  Communicator& inner_;
  Device& device_;
  Stream stream_;
  Ticket last_ = 0;
  std::map<Ticket, std::pair<Ticket, Started>> started_;  // with the inner one's
};

}  // namespace bench::comm_checks
