#include "parallel/comm/algorithms/run_schedule.h"

#include <cstring>

#include "parallel/comm/reduce.h"

namespace bench::algorithms {

unsigned char* Memory::at(const Span& span) const {
  auto* base = static_cast<unsigned char*>(span.area == Area::result ? result : scratch);
  return base + static_cast<size_t>(span.first) * size_of(dtype);
}

void Memory::work(const Local& local, ReduceOp op) const {
  if (local.kind == Local::Kind::reduce)
    reduce_into(at(local.into), at(local.from), local.from.count, dtype, op);
  else
    std::memcpy(at(local.into), at(local.from),
                static_cast<size_t>(local.from.count) * size_of(dtype));
}

void ScheduleRunner::run(Schedule schedule, const Memory& memory, ReduceOp op, Communicator& comm,
                         Stream s, int tag) {
  while (const Round* round = schedule.next()) {
    sends_.clear();
    receives_.clear();
    for (const Transfer& t : round->sends)
      sends_.push_back({.buffer = memory.at(t.span), .count = t.span.count, .to = t.peer});
    for (const Transfer& t : round->receives)
      receives_.push_back({.buffer = memory.at(t.span), .count = t.span.count, .from = t.peer});
    if (!sends_.empty() || !receives_.empty())
      comm.exchange(s, sends_, receives_, memory.dtype, tag);
    for (const Local& local : round->locals) memory.work(local, op);
  }
}

}  // namespace bench::algorithms
