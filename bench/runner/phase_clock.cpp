#include "bench/runner/phase_clock.h"

namespace bench::runner {

RunPhase PhaseClock::enter(RunPhase next) {
  const int64_t now = clock_.now_ns();
  total_ns_[static_cast<int>(current_)] += now - since_;
  since_ = now;
  const RunPhase before = current_;
  current_ = next;
  return before;
}

schema::Phases PhaseClock::totals() const {
  const int64_t now = clock_.now_ns();
  const auto seconds = [&](RunPhase p) {
    const int64_t running = p == current_ ? now - since_ : 0;
    return static_cast<double>(total_ns_[static_cast<int>(p)] + running) * 1e-9;
  };
  return {.start = seconds(RunPhase::start),
          .agree = seconds(RunPhase::agree),
          .set_up = seconds(RunPhase::set_up),
          .first_call = seconds(RunPhase::first_call),
          .warm_up = seconds(RunPhase::warm_up),
          .samples = seconds(RunPhase::samples),
          .verify = seconds(RunPhase::verify),
          .gather = seconds(RunPhase::gather),
          .journal = seconds(RunPhase::journal),
          .report = seconds(RunPhase::report),
          .waiting = seconds(RunPhase::waiting),
          .wall = static_cast<double>(now - began_) * 1e-9};
}

}  // namespace bench::runner
