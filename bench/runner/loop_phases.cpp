#include "bench/runner/loop_phases.h"

namespace bench::runner {
namespace {

struct Names {
  RunPhase phase;
  const char* name;
};

Names names_of(measure::Phase phase) {
  switch (phase) {
    case measure::Phase::first_call: return {RunPhase::first_call, "first_call"};
    case measure::Phase::warm_up: return {RunPhase::warm_up, "warm_up"};
    case measure::Phase::samples: return {RunPhase::samples, "samples"};
    case measure::Phase::verify: return {RunPhase::verify, "verify"};
    case measure::Phase::gather: break;
  }
  return {RunPhase::gather, "gather"};
}

}  // namespace

void LoopPhases::enter(measure::Phase phase) {
  leave();
  const auto [run_phase, name] = names_of(phase);
  before_ = clock_.enter(run_phase);
  status_.set_phase(name);
  recorder_.push(Stream{}, name, round_);
  inside_ = true;
  if (sampling_ && after_samples_) after_samples_();
  sampling_ = phase == measure::Phase::samples;
  verifying_ = phase == measure::Phase::verify;
  if (verifying_ && memory_ != nullptr) memory_->pause();
}

void LoopPhases::leave() {
  if (!inside_) return;
  if (verifying_ && memory_ != nullptr) memory_->resume();
  recorder_.pop(Stream{});
  clock_.enter(before_);
  inside_ = false;
}

void LoopPhases::progress(int64_t n, double median_s, double half_width_s) {
  if (observer_ != nullptr) observer_->progress(n, median_s, half_width_s);
}

}  // namespace bench::runner
