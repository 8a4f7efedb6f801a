#pragma once
// A communicator that keeps count of what was entered and left, so that another thread can see
// where a rank is.

#include <atomic>
#include <memory>

#include "bench/base/clock.h"
#include "parallel/comm/communicator.h"

namespace bench {

// Written by the rank's main thread, read by any.
struct CollectiveCounts {
  std::atomic<int64_t> entered{0};
  std::atomic<int64_t> left{0};
  std::atomic<const char*> inside{nullptr};  // name of the call now running, a literal
  std::atomic<int64_t> nanoseconds{0};       // spent inside, in total
};

// Everything goes to `inner`, which must outlive this; communicators made by split share the
// counts.
class CountingCommunicator final : public Communicator {
 public:
  CountingCommunicator(Communicator& inner, CollectiveCounts& counts, Clock& clock)
      : inner_(inner), counts_(counts), clock_(clock) {}
  CountingCommunicator(std::unique_ptr<Communicator> inner, CollectiveCounts& counts, Clock& clock)
      : owned_(std::move(inner)), inner_(*owned_), counts_(counts), clock_(clock) {}

  int64_t nanoseconds_inside() const { return counts_.nanoseconds.load(std::memory_order_relaxed); }

  int rank() const override { return inner_.rank(); }
  int size() const override { return inner_.size(); }
  std::string_view kind() const override { return inner_.kind(); }
  bool capturable() const override { return inner_.capturable(); }
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
  Ticket all_reduce_start(Stream s, const void* send, void* recv, int64_t count, DType,
                          ReduceOp) override;
  Ticket reduce_scatter_start(Stream s, const void* send, void* recv, int64_t count, DType,
                              ReduceOp) override;
  void wait(Stream s, Ticket ticket) override;
  std::unique_ptr<Communicator> split(int color, int key) override;
  std::unique_ptr<Communicator> by_library_algorithm(std::string_view name, int64_t count,
                                                     DType) override;

 private:
  class Visit;

  std::unique_ptr<Communicator> owned_;
  Communicator& inner_;
  CollectiveCounts& counts_;
  Clock& clock_;
};

}  // namespace bench
