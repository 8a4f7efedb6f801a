#pragma once
// Moves real buffers by a schedule, over any communicator's messages.

#include "parallel/comm/algorithms/local_work.h"
#include "parallel/comm/algorithms/schedule.h"
#include "parallel/comm/communicator.h"

namespace bench::algorithms {

// The memory of one call, elements of one type.
struct Memory {
  void* result;
  void* scratch;
  DType dtype;

  unsigned char* at(const Span& span) const;
};

// One rank's work of its own.
void do_local(const Local& local, const Memory& memory, ReduceOp op, LocalWork& work, Stream s);

// In stream order: on a CPU, on return the result is in place. Messages carry `tag`.
class ScheduleRunner {
 public:
  void run(Schedule schedule, const Memory& memory, ReduceOp op, Communicator& comm,
           LocalWork& work, Stream s, int tag);

 private:
  std::vector<Outgoing> sends_;
  std::vector<Incoming> receives_;
};

}  // namespace bench::algorithms
