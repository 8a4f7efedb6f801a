#include "bench/runner/split.h"

#include <algorithm>
#include <array>
#include <vector>

namespace bench::runner {
namespace {

constexpr int kSteps = 3;

// One rank's seconds of a step.
struct OwnSplit {
  double step, comm, optimizer, compute;
};
constexpr int kFields = 4;

double total_of(const std::map<std::string, double>& totals, const char* name) {
  const auto found = totals.find(name);
  return found == totals.end() ? 0.0 : found->second;
}

OwnSplit measure_own(measure::Subject& subject, CountingCommunicator& comm,
                     trace::Recorder& recorder, Clock& clock) {
  comm.barrier(Stream{});
  const int64_t comm_before = comm.nanoseconds_inside();
  recorder.record(true);
  const int64_t start = clock.now_ns();
  subject.enqueue(kSteps);
  subject.synchronize();
  const double elapsed = static_cast<double>(clock.now_ns() - start) * 1e-9;
  recorder.record(false);
  const double inside = static_cast<double>(comm.nanoseconds_inside() - comm_before) * 1e-9;
  const std::map<std::string, double> self = recorder.exclusive_s(), whole = recorder.totals_s();
  // The optimizer's range holds the gradient norm's small reductions; they stay with communication.
  const double optimizer =
      std::max(0.0, total_of(whole, "optimizer") - (total_of(whole, "optimizer.comm")));
  const double compute =
      total_of(whole, "forward") + total_of(whole, "backward") - total_of(whole, "tp.all_reduce");
  return {.step = elapsed / kSteps,
          .comm = inside / kSteps,
          .optimizer = optimizer / kSteps,
          .compute = std::max(0.0, compute) / kSteps};
}

}  // namespace

std::map<std::string, schema::Value> split_step(measure::Subject& subject,
                                                CountingCommunicator& comm,
                                                trace::Recorder& recorder, Clock& clock) {
  const OwnSplit own = measure_own(subject, comm, recorder, clock);
  const std::array<double, kFields> mine = {own.step, own.comm, own.optimizer, own.compute};
  std::vector<double> all(static_cast<size_t>(comm.size()) * kFields);
  comm.all_gather(Stream{}, mine.data(), all.data(), kFields, DType::f64);
  const auto mean = [&](int field) {
    double sum = 0;
    for (int r = 0; r < comm.size(); ++r) sum += all[static_cast<size_t>(r) * kFields + field];
    return sum / comm.size();
  };
  double least_comm = all[1];
  for (int r = 1; r < comm.size(); ++r)
    least_comm = std::min(least_comm, all[static_cast<size_t>(r) * kFields + 1]);
  const double step = mean(0), skew = mean(1) - least_comm, optimizer = mean(2), compute = mean(3);
  const double other = step - compute - least_comm - skew - optimizer;
  return {{"split.step", {step, "s"}},
          {"split.compute", {compute, "s"}},
          {"split.exposed_comm", {least_comm, "s"}},
          {"split.bubble", {0.0, "s"}},
          {"split.optimizer", {optimizer, "s"}},
          {"split.skew", {skew, "s"}},
          {"split.other", {other, "s"}}};
}

}  // namespace bench::runner
