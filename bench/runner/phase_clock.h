#pragma once
// Where rank 0's wall time went: at every moment exactly one named phase runs, so the phases add up
// by construction.

#include <array>
#include <cstdint>

#include "bench/base/clock.h"
#include "reports/schema/report.h"

namespace bench::runner {

enum class RunPhase {
  start,
  agree,
  set_up,
  first_call,
  warm_up,
  samples,
  verify,
  gather,
  journal,
  report,
  waiting
};
inline constexpr int kRunPhases = 11;

class PhaseClock {
 public:
  explicit PhaseClock(Clock& clock) : clock_(clock), began_(clock.now_ns()), since_(began_) {}

  // Ends the current phase; returns it, so that a scope can go back to it.
  RunPhase enter(RunPhase next);
  RunPhase current() const { return current_; }
  // Everything up to now.
  schema::Phases totals() const;

 private:
  Clock& clock_;
  int64_t began_, since_;
  RunPhase current_ = RunPhase::start;
  std::array<int64_t, kRunPhases> total_ns_ = {};
};

// A phase for a scope.
class PhaseScope {
 public:
  PhaseScope(PhaseClock& clock, RunPhase phase) : clock_(clock), before_(clock.enter(phase)) {}
  ~PhaseScope() { clock_.enter(before_); }
  PhaseScope(const PhaseScope&) = delete;
  PhaseScope& operator=(const PhaseScope&) = delete;

 private:
  PhaseClock& clock_;
  RunPhase before_;
};

}  // namespace bench::runner
