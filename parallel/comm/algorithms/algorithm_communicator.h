#pragma once
// A communicator whose collectives are our own algorithms over another one's messages.

#include <memory>
#include <string>

#include "parallel/comm/algorithms/algorithm.h"
#include "parallel/comm/algorithms/run_schedule.h"

namespace bench {

class AlgorithmCommunicator final : public Communicator {
 public:
  // All-reduces go by `algorithm`, reduce-scatter and all-gather around a ring, broadcasts down a
  // binomial tree. `host`: a number that ranks of one host share. `work` is for the memory that
  // `inner` is for; the host's where there is none. `inner` outlives this; collective over it.
  // Throws Unsupported where these hosts do not suit the algorithm.
  AlgorithmCommunicator(Communicator& inner, const algorithms::AllReduce& algorithm, uint64_t host,
                        std::shared_ptr<algorithms::LocalWork> work = nullptr);

  int rank() const override { return inner_.rank(); }
  int size() const override { return inner_.size(); }
  std::string_view kind() const override { return "schedule"; }
  bool capturable() const override { return inner_.capturable(); }

  void barrier(Stream s) override { inner_.barrier(s); }
  void all_reduce(Stream s, const void* send, void* recv, int64_t count, DType, ReduceOp) override;
  void reduce_scatter(Stream s, const void* send, void* recv, int64_t count, DType,
                      ReduceOp) override;
  void all_gather(Stream s, const void* send, void* recv, int64_t count, DType) override;
  void broadcast(Stream s, void* buffer, int64_t count, DType, int root) override;
  void send(Stream s, const void* buffer, int64_t count, DType t, int to, int tag) override {
    inner_.send(s, buffer, count, t, to, tag);
  }
  void recv(Stream s, void* buffer, int64_t count, DType t, int from, int tag) override {
    inner_.recv(s, buffer, count, t, from, tag);
  }
  void exchange(Stream s, std::span<const Outgoing> sends, std::span<const Incoming> receives,
                DType t, int tag) override {
    inner_.exchange(s, sends, receives, t, tag);
  }
  std::unique_ptr<Communicator> split(int color, int key) override;

  const algorithms::Hosts& hosts() const { return hosts_; }

 private:
  AlgorithmCommunicator(std::unique_ptr<Communicator> inner, const algorithms::AllReduce& algorithm,
                        uint64_t host, std::shared_ptr<algorithms::LocalWork> work);
  void run(algorithms::Schedule schedule, void* result, int64_t scratch, DType, ReduceOp, Stream);

  std::unique_ptr<Communicator> owned_;
  Communicator& inner_;
  const algorithms::AllReduce& algorithm_;
  uint64_t host_;
  std::shared_ptr<algorithms::LocalWork> work_;
  algorithms::Hosts hosts_;
  algorithms::ScheduleRunner runner_;
};

}  // namespace bench
