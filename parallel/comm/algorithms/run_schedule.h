#pragma once
// Moves real buffers by a schedule, over any communicator of host memory.

#include "parallel/comm/algorithms/schedule.h"
#include "parallel/comm/communicator.h"

namespace bench::algorithms {

// The memory of one call, elements of one type.
struct Memory {
  void* result;
  void* scratch;
  DType dtype;

  unsigned char* at(const Span& span) const;
  void work(const Local& local, ReduceOp op) const;
};

// Blocking: on return the result is in place. Messages carry `tag`.
class ScheduleRunner {
 public:
  void run(Schedule schedule, const Memory& memory, ReduceOp op, Communicator& comm, Stream s,
           int tag);

 private:
  std::vector<Outgoing> sends_;
  std::vector<Incoming> receives_;
};

}  // namespace bench::algorithms
