#include "parallel/comm/algorithms/run_schedule.h"

namespace bench::algorithms {

unsigned char* Memory::at(const Span& span) const {
  auto* base = static_cast<unsigned char*>(span.area == Area::result ? result : scratch);
  return base + static_cast<size_t>(span.first) * size_of(dtype);
}

void do_local(const Local& local, const Memory& memory, ReduceOp op, LocalWork& work, Stream s) {
  void* const into = memory.at(local.into);
  const void* const from = memory.at(local.from);
  if (local.kind == Local::Kind::reduce)
    work.reduce(s, into, from, local.from.count, memory.dtype, op);
  else
    work.copy(s, into, from, static_cast<size_t>(local.from.count) * size_of(memory.dtype));
}

void ScheduleRunner::run(Schedule schedule, const Memory& memory, ReduceOp op, Communicator& comm,
                         LocalWork& work, Stream s, int tag) {
  while (const Round* round = schedule.next()) {
    sends_.clear();
    receives_.clear();
    for (const Transfer& t : round->sends)
      sends_.push_back({.buffer = memory.at(t.span), .count = t.span.count, .to = t.peer});
    for (const Transfer& t : round->receives)
      receives_.push_back({.buffer = memory.at(t.span), .count = t.span.count, .from = t.peer});
    if (!sends_.empty() || !receives_.empty())
      comm.exchange(s, sends_, receives_, memory.dtype, tag);
    for (const Local& local : round->locals) do_local(local, memory, op, work, s);
  }
}

}  // namespace bench::algorithms
