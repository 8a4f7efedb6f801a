#pragma once
// Carries the measuring loop's phases to the phase clock, the named ranges, the watch, and to the
// memory's high-water mark, in which checks do not count; after each block of samples somebody may
// look at the device.

#include <functional>
#include <utility>

#include "bench/measure/peak_memory.h"
#include "bench/measure/protocol.h"
#include "bench/runner/phase_clock.h"
#include "bench/runner/run_observer.h"
#include "bench/trace/recorder.h"
#include "bench/world/watch.h"

namespace bench::runner {

class LoopPhases final : public measure::PhaseSink {
 public:
  // `observer`, `memory` and `after_samples` may be null.
  LoopPhases(PhaseClock& clock, trace::Recorder& recorder, WatchStatus& status,
             RunObserver* observer, measure::PeakMemory* memory,
             std::function<void()> after_samples, int round)
      : clock_(clock),
        recorder_(recorder),
        status_(status),
        observer_(observer),
        memory_(memory),
        after_samples_(std::move(after_samples)),
        round_(round) {}
  ~LoopPhases() override { leave(); }
  LoopPhases(const LoopPhases&) = delete;

  void enter(measure::Phase phase) override;
  void leave() override;
  void progress(int64_t n, double median_s, double half_width_s) override;

 private:
  PhaseClock& clock_;
  trace::Recorder& recorder_;
  WatchStatus& status_;
  RunObserver* observer_;
  measure::PeakMemory* memory_;
  std::function<void()> after_samples_;
  int round_;
  RunPhase before_ = RunPhase::gather;
  bool inside_ = false, verifying_ = false, sampling_ = false;
};

}  // namespace bench::runner
