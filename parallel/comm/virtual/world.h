#pragma once
// Many ranks in one process, in virtual time: runs the schedules that real ranks run, and says when
// each rank would be done. Time is computed, never measured.

#include <cstdint>
#include <functional>
#include <vector>

#include "parallel/comm/algorithms/algorithm.h"
#include "parallel/comm/algorithms/run_schedule.h"
#include "parallel/comm/virtual/network.h"

namespace bench::simulated {

class World {
 public:
  // `schedule_of(rank)` is called once a rank. element_bytes: of what schedules count.
  World(const Network& network, int ranks, int64_t element_bytes,
        const std::function<algorithms::Schedule(int rank)>& schedule_of);

  // Where messages and local work should move real elements: a memory a rank.
  void carry(std::vector<algorithms::Memory> memory, ReduceOp op);

  // Runs to the end. Returns the time at which the last rank is done, seconds. Throws
  // std::logic_error naming a rank that waits for ever: a schedule whose ends do not fit together.
  double run();

  // After run(): when each rank was done.
  const std::vector<double>& done_s() const { return done_s_; }
  int64_t messages() const { return messages_; }

 private:
  struct Rank {
    algorithms::Schedule schedule;
    algorithms::Round* round = nullptr;  // null: done
    size_t sent = 0, received = 0;       // of the round's transfers, in their order
    double send_free_s = 0, receive_free_s = 0;
  };

  void begin_round(int rank);
  void end_round(int rank);
  bool finished(const Rank& rank) const;
  void try_send(int from);
  void deliver(int from, int to, size_t send, size_t receive);
  void advance(int rank);

  Network network_;
  int64_t element_bytes_;
  std::vector<Rank> ranks_;
  std::vector<algorithms::Memory> memory_;  // empty: no payload
  algorithms::HostWork host_;
  ReduceOp op_ = ReduceOp::sum;
  std::vector<double> done_s_;
  std::vector<int> ready_;  // ranks whose head transfers may go
  int64_t messages_ = 0;
};

}  // namespace bench::simulated
