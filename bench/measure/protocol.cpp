#include "bench/measure/protocol.h"

#include <algorithm>
#include <cmath>

#include "bench/measure/agreed_check.h"
#include "bench/measure/flanked.h"
#include "bench/measure/guard.h"
#include "bench/measure/sampler.h"
#include "bench/measure/statistics.h"

namespace bench::measure {
namespace {

constexpr int64_t kCalibrationCalls = 5;
constexpr int64_t kClockReadsPerSample = 1000;
constexpr int64_t kLargestSample = 1'000'000;  // iterations
constexpr double kShortestCall_s = 1e-9;       // what a clock of nanoseconds can tell from nothing
constexpr double kWarmUpBlockSeconds = 0.02;
constexpr int64_t kWarmUpBlockSamples = 16;
constexpr size_t kSteadyBlocks = 3;
constexpr double kSteadyWithin = 0.02;

// The phase ends however the round ends.
class PhaseEnd {
 public:
  explicit PhaseEnd(PhaseSink& phases) : phases_(phases) {}
  ~PhaseEnd() { phases_.leave(); }
  PhaseEnd(const PhaseEnd&) = delete;
  PhaseEnd& operator=(const PhaseEnd&) = delete;

 private:
  PhaseSink& phases_;
};

bool steady(const std::vector<double>& block_medians) {
  if (block_medians.size() < kSteadyBlocks) return false;
  const auto [low, high] =
      std::minmax_element(block_medians.end() - kSteadyBlocks, block_medians.end());
  return *high - *low <= kSteadyWithin * *low;
}

class RoundLoop {
 public:
  RoundLoop(Subject& subject, Communicator& comm, Clock& clock, const Settings& settings,
            Plan& plan, PhaseSink& phases)
      : subject_(subject),
        comm_(comm),
        clock_(clock),
        settings_(settings),
        plan_(plan),
        phases_(phases),
        sampler_(subject, comm, clock, settings, phases) {}

  RoundSamples run() {
    const bool first_round = !plan_.made;
    if (settings_.stop.fixed_samples > 0) {
      run_fixed(first_round);
    } else {
      run_until_precise(first_round);
    }
    return std::move(round_);
  }

 private:
  void run_fixed(bool first_round);
  void run_until_precise(bool first_round);
  void first_call();
  void trajectory();
  void read_trajectory();
  void calibrate();
  double warm_up(bool first_round);
  void sample(double sample_s);
  void add_samples(Stopping& stopping, int64_t samples);
  void add_groups(Stopping& stopping, int64_t groups);
  void tell_progress(const Stopping& stopping);
  double seconds_a_sample(const Block& block, double began_s) const;
  bool check();
  void reset();
  int64_t block_for(double iteration_s) const;

  Subject& subject_;
  Communicator& comm_;
  Clock& clock_;
  const Settings& settings_;
  Plan& plan_;
  PhaseSink& phases_;
  Sampler sampler_;
  double min_sample_s_ = 0;  // agreed
  bool checked_ = false;
  double first_sample_s_ = 0, sample_s_ = 0, elapsed_s_ = 0;  // of sample()
  RoundSamples round_;
};

void RoundLoop::run_fixed(bool first_round) {
  reset();
  plan_.made = true;
  plan_.block = 1;
  sample(0);
  if (first_round) {
    plan_.first_call_s = plan_.estimate_s = first_sample_s_;
    if (!round_.slowest_s.empty()) plan_.estimate_s = median_of(round_.slowest_s);
    read_trajectory();
  }
  check();
}

void RoundLoop::run_until_precise(bool first_round) {
  if (first_round) {
    if (settings_.training) reset();
    first_call();
    trajectory();
    if (!check()) return;
  }
  reset();
  if (first_round) calibrate();
  sample(warm_up(first_round));
  check();
}

void RoundLoop::first_call() {
  plan_.first_call_s = sampler_.take(Phase::first_call, 1, 1).slowest_s().front();
}

// The first call was its first step.
void RoundLoop::trajectory() {
  if (!settings_.training) return;
  phases_.enter(Phase::warm_up);
  run_on_all(comm_, [&] {
    if (settings_.trajectory_steps > 1) subject_.enqueue(settings_.trajectory_steps - 1);
    subject_.synchronize();
  });
  read_trajectory();
}

void RoundLoop::read_trajectory() {
  if (!settings_.training || !settings_.after_trajectory) return;
  phases_.enter(Phase::gather);
  run_on_all(comm_, settings_.after_trajectory);
}

void RoundLoop::calibrate() {
  const Block calls = sampler_.take(Phase::warm_up, kCalibrationCalls, 1);
  for (int r = 0; r < calls.ranks(); ++r)
    plan_.estimate_s = std::max(plan_.estimate_s, median_of(calls.of_rank(r)));
  min_sample_s_ = settings_.min_block_seconds > 0
                      ? settings_.min_block_seconds
                      : kClockReadsPerSample * clock_read_seconds(clock_);
  comm_.all_reduce(&min_sample_s_, 1, ReduceOp::max);
  plan_.block = block_for(plan_.estimate_s);
  plan_.made = true;
}

int64_t RoundLoop::block_for(double iteration_s) const {
  if (settings_.before_sample || settings_.flank != nullptr) return 1;
  const double wanted = std::ceil(min_sample_s_ / std::max(iteration_s, kShortestCall_s));
  return static_cast<int64_t>(std::clamp(wanted, 1.0, static_cast<double>(kLargestSample)));
}

// Seconds a sample takes once warm.
double RoundLoop::warm_up(bool first_round) {
  std::vector<double> medians;
  double iteration_s = plan_.estimate_s;
  sampler_.restart();
  while (static_cast<int64_t>(medians.size()) < settings_.warm_up_cap && !steady(medians)) {
    const double fit = kWarmUpBlockSeconds /
                       std::max(iteration_s * static_cast<double>(plan_.block), kShortestCall_s);
    const int64_t samples = std::clamp<int64_t>(static_cast<int64_t>(fit), 1, kWarmUpBlockSamples);
    const Block block = sampler_.take(Phase::warm_up, samples, plan_.block);
    iteration_s = median_of(block.slowest_s());
    medians.push_back(iteration_s);
    if (block.elapsed_s >= settings_.warm_up_max_seconds) break;
  }
  if (first_round) {
    // Warm calls are shorter than the five that the block was chosen by.
    plan_.block = std::max(plan_.block, block_for(iteration_s));
    plan_.warm_up_s = std::move(medians);
  }
  return iteration_s * static_cast<double>(plan_.block);
}

// sample_s = 0, or something comes before or around a sample: find out with one how long it takes.
void RoundLoop::sample(double sample_s) {
  Stopping stopping(settings_.stop);
  sampler_.restart();
  sample_s_ = sample_s;
  elapsed_s_ = 0;
  const bool flanked = settings_.flank != nullptr;
  bool known = sample_s > 0 && !flanked && !settings_.before_sample;
  while (round_.stop_reason.empty()) {
    const int64_t samples = known ? stopping.next_block(sample_s_, elapsed_s_) : 1;
    if (flanked)
      add_groups(stopping, samples);
    else
      add_samples(stopping, samples);
    known = true;
    round_.stop_reason = stopping.reason(elapsed_s_);
    tell_progress(stopping);
  }
}

void RoundLoop::add_samples(Stopping& stopping, int64_t samples) {
  const Block block = sampler_.take(Phase::samples, samples, plan_.block);
  block.append_to(round_, comm_.rank());
  round_.launch_bound += block.launch_bound;
  const std::vector<double> slowest = block.slowest_s();
  if (stopping.taken() == 0) first_sample_s_ = slowest.front();
  for (const double s : slowest) stopping.add(s);
  sample_s_ = seconds_a_sample(block, elapsed_s_);
  elapsed_s_ = block.elapsed_s;
}

// What has to be precise is the ratio: the times themselves may be of two kinds.
void RoundLoop::add_groups(Stopping& stopping, int64_t groups) {
  const Block block = sampler_.take_groups(groups);
  if (stopping.taken() == 0) first_sample_s_ = block.slowest_s().at(1);
  const int64_t kept = take_groups(block, comm_.rank(), round_);
  round_.launch_bound += block.launch_bound;
  for (auto group = round_.groups.end() - kept; group != round_.groups.end(); ++group)
    stopping.add(group->case_s / group->flank_s);
  for (int64_t i = kept; i < groups; ++i) stopping.drop();
  sample_s_ = (block.elapsed_s - elapsed_s_) / static_cast<double>(groups);
  elapsed_s_ = block.elapsed_s;
}

void RoundLoop::tell_progress(const Stopping& stopping) {
  double seconds = 1;  // of one of what the stop rule was given
  if (settings_.flank != nullptr)
    seconds = stopping.median_s() > 0 ? median_of(round_.slowest_s) / stopping.median_s() : 0;
  phases_.progress(static_cast<int64_t>(round_.slowest_s.size()), stopping.median_s() * seconds,
                   stopping.half_width_s() * seconds);
}

// What comes before a sample takes its time, too.
double RoundLoop::seconds_a_sample(const Block& block, double began_s) const {
  if (settings_.before_sample)
    return (block.elapsed_s - began_s) / static_cast<double>(block.samples);
  return median_of(block.slowest_s()) * static_cast<double>(plan_.block);
}

// Keeps the worst so far; a wrong case gets no time.
bool RoundLoop::check() {
  phases_.enter(Phase::verify);
  const schema::Verify found = check_on_all(subject_, comm_);
  round_.verify = checked_ ? worse_of(round_.verify, found) : found;
  checked_ = true;
  if (round_.verify.status != "wrong") return true;
  round_ = RoundSamples{.slowest_s = {},
                        .fastest_s = {},
                        .last_rank = {},
                        .own_s = {},
                        .groups = {},
                        .dropped_groups = 0,
                        .launch_bound = 0,
                        .stop_reason = {},
                        .verify = round_.verify};
  return false;
}

void RoundLoop::reset() {
  phases_.enter(Phase::warm_up);
  run_on_all(comm_, [&] { subject_.reset(); });
}

}  // namespace

RoundSamples run_round(Subject& subject, Communicator& comm, Clock& clock, const Settings& settings,
                       Plan& plan, PhaseSink& phases) {
  const PhaseEnd end(phases);
  return RoundLoop(subject, comm, clock, settings, plan, phases).run();
}

}  // namespace bench::measure
