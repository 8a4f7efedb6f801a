#pragma once
// A communicator whose collectives are our own algorithms over another one's messages.

#include <memory>
#include <string>

#include "parallel/comm/algorithms/algorithm.h"
#include "parallel/comm/algorithms/run_schedule.h"
#include "parallel/comm/over_messages.h"

namespace bench {

class AlgorithmCommunicator final : public OverMessages {
 public:
  // All-reduces go by `algorithm`, reduce-scatter and all-gather around a ring, broadcasts down a
  // binomial tree. `host`: a number that ranks of one host share. `work` is for the memory that
  // `inner` is for; the host's where there is none. `inner` outlives this; collective over it.
  // Throws Unsupported where these hosts do not suit the algorithm.
  AlgorithmCommunicator(Communicator& inner, const algorithms::AllReduce& algorithm, uint64_t host,
                        std::shared_ptr<algorithms::LocalWork> work = nullptr);

  std::string_view kind() const override { return "schedule"; }
  bool capturable() const override { return messages_capturable_; }

  void barrier(Stream s) override { inner().barrier(s); }
  void all_reduce(Stream s, const void* send, void* recv, int64_t count, DType, ReduceOp) override;
  void reduce_scatter(Stream s, const void* send, void* recv, int64_t count, DType,
                      ReduceOp) override;
  void all_gather(Stream s, const void* send, void* recv, int64_t count, DType) override;
  void broadcast(Stream s, void* buffer, int64_t count, DType, int root) override;
  std::unique_ptr<Communicator> split(int color, int key) override;

  const algorithms::Hosts& hosts() const { return hosts_; }

 private:
  AlgorithmCommunicator(std::unique_ptr<Communicator> inner, const algorithms::AllReduce& algorithm,
                        uint64_t host, std::shared_ptr<algorithms::LocalWork> work);
  void run(algorithms::Schedule schedule, void* result, int64_t scratch, DType, ReduceOp, Stream);

  const algorithms::AllReduce& algorithm_;
  bool messages_capturable_;
  uint64_t host_;
  std::shared_ptr<algorithms::LocalWork> work_;
  algorithms::Hosts hosts_;
  algorithms::ScheduleRunner runner_;
};

}  // namespace bench
