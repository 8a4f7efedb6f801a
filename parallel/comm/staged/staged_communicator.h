#pragma once
// Ranks whose buffers are in the memory of a device, over a communicator that knows only host
// memory: every call copies to the host, waits for the stream, lets the host's communicator work,
// and copies back. Slow, but it needs nothing of the device: two ranks may share one.

#include <memory>
#include <vector>

#include "parallel/comm/communicator.h"

namespace bench {

class StagedCommunicator final : public Communicator {
 public:
  // Vectors go in pieces of at most so many bytes (all ranks' parts together), but of at least one
  // element a rank: so much host memory is held.
  static constexpr int64_t kStagingBytes = int64_t{4} << 20;

  // `host` and `device` must outlive this. Every rank must give the same size.
  StagedCommunicator(Communicator& host, Device& device, int64_t staging_bytes = kStagingBytes);
  StagedCommunicator(std::unique_ptr<Communicator> host, Device& device, int64_t staging_bytes);
  StagedCommunicator(const StagedCommunicator&) = delete;

  int rank() const override { return host_.rank(); }
  int size() const override { return host_.size(); }
  std::string_view kind() const override { return "staged"; }
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
  // A part of one rank stays on the device.
  std::unique_ptr<Communicator> split(int color, int key) override;

 private:
  int64_t elements_at_once(DType dtype, int parts) const;
  void fetch(Stream s, const void* from, int64_t element, int64_t part, int64_t count, DType);
  void store(Stream s, void* to, int64_t element, int64_t part, int64_t count, DType);
  void* staged(int64_t part, int64_t count, DType dtype);
  // Pieces of the messages from element `first` on, and their exchange over the host.
  void exchange_pieces(Stream s, int64_t first, std::span<const Outgoing> sends,
                       std::span<const Incoming> receives, DType dtype, int tag);

  std::unique_ptr<Communicator> owned_;
  Communicator& host_;
  Device& device_;
  int64_t staging_bytes_;
  std::vector<unsigned char> staging_;
};

}  // namespace bench
