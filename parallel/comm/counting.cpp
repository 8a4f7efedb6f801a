#include "parallel/comm/counting.h"

namespace bench {

// The time between entering and leaving one call.
class CountingCommunicator::Visit {
 public:
  Visit(const CountingCommunicator& comm, const char* name)
      : counts_(comm.counts_), clock_(comm.clock_), start_(clock_.now_ns()) {
    counts_.inside.store(name, std::memory_order_relaxed);
    counts_.entered.fetch_add(1, std::memory_order_relaxed);
  }
  ~Visit() {
    counts_.nanoseconds.fetch_add(clock_.now_ns() - start_, std::memory_order_relaxed);
    counts_.inside.store(nullptr, std::memory_order_relaxed);
    counts_.left.fetch_add(1, std::memory_order_relaxed);
  }
  Visit(const Visit&) = delete;
  Visit& operator=(const Visit&) = delete;

 private:
  CollectiveCounts& counts_;
  Clock& clock_;
  int64_t start_;
};

void CountingCommunicator::barrier(Stream s) {
  const Visit visit(*this, "barrier");
  inner_.barrier(s);
}
void CountingCommunicator::all_reduce(Stream s, const void* send, void* recv, int64_t count,
                                      DType dtype, ReduceOp op) {
  const Visit visit(*this, "all_reduce");
  inner_.all_reduce(s, send, recv, count, dtype, op);
}
void CountingCommunicator::reduce_scatter(Stream s, const void* send, void* recv, int64_t count,
                                          DType dtype, ReduceOp op) {
  const Visit visit(*this, "reduce_scatter");
  inner_.reduce_scatter(s, send, recv, count, dtype, op);
}
void CountingCommunicator::all_gather(Stream s, const void* send, void* recv, int64_t count,
                                      DType dtype) {
  const Visit visit(*this, "all_gather");
  inner_.all_gather(s, send, recv, count, dtype);
}
void CountingCommunicator::broadcast(Stream s, void* buffer, int64_t count, DType dtype, int root) {
  const Visit visit(*this, "broadcast");
  inner_.broadcast(s, buffer, count, dtype, root);
}
void CountingCommunicator::send(Stream s, const void* buffer, int64_t count, DType dtype, int to,
                                int tag) {
  const Visit visit(*this, "send");
  inner_.send(s, buffer, count, dtype, to, tag);
}
void CountingCommunicator::recv(Stream s, void* buffer, int64_t count, DType dtype, int from,
                                int tag) {
  const Visit visit(*this, "recv");
  inner_.recv(s, buffer, count, dtype, from, tag);
}
void CountingCommunicator::exchange(Stream s, std::span<const Outgoing> sends,
                                    std::span<const Incoming> receives, DType dtype, int tag) {
  const Visit visit(*this, "exchange");
  inner_.exchange(s, sends, receives, dtype, tag);
}
Communicator::Ticket CountingCommunicator::all_reduce_start(Stream s, const void* send, void* recv,
                                                            int64_t count, DType dtype,
                                                            ReduceOp op) {
  const Visit visit(*this, "all_reduce_start");
  return inner_.all_reduce_start(s, send, recv, count, dtype, op);
}
Communicator::Ticket CountingCommunicator::reduce_scatter_start(Stream s, const void* send,
                                                                void* recv, int64_t count,
                                                                DType dtype, ReduceOp op) {
  const Visit visit(*this, "reduce_scatter_start");
  return inner_.reduce_scatter_start(s, send, recv, count, dtype, op);
}
void CountingCommunicator::wait(Stream s, Ticket ticket) {
  const Visit visit(*this, "wait");
  inner_.wait(s, ticket);
}
std::unique_ptr<Communicator> CountingCommunicator::split(int color, int key) {
  const Visit visit(*this, "split");
  return std::make_unique<CountingCommunicator>(inner_.split(color, key), counts_, clock_);
}

std::unique_ptr<Communicator> CountingCommunicator::by_library_algorithm(std::string_view name,
                                                                         int64_t count,
                                                                         DType dtype) {
  const Visit visit(*this, "by_library_algorithm");
  return std::make_unique<CountingCommunicator>(inner_.by_library_algorithm(name, count, dtype),
                                                counts_, clock_);
}

}  // namespace bench
