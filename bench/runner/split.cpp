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

// Ranges of a training plugin whose own time is arithmetic of the model.
constexpr std::array kComputeRanges = {"forward", "backward", "layer", "head", "recompute"};

double total_of(const std::map<std::string, double>& totals, const char* name) {
  const auto found = totals.find(name);
  return found == totals.end() ? 0.0 : found->second;
}

// Ranges in which a stream waits for other ranks: of the tensor, data and pipeline axis.
double communication(const std::map<std::string, double>& totals) {
  double sum = 0;
  for (const auto& [name, seconds] : totals)
    if (name.starts_with("tp.") || name.starts_with("dp.") || name.starts_with("pp."))
      sum += seconds;
  return sum;
}

template <size_t N>
double sum_of(const std::map<std::string, double>& totals,
              const std::array<const char*, N>& names) {
  double sum = 0;
  for (const char* name : names) sum += total_of(totals, name);
  return sum;
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
  // Without what ranges inside them took. Communication has ranges of its own; what the host spends
  // in it is counted by the communicator, which on a GPU returns at once.
  const std::map<std::string, double> own = recorder.exclusive_s();
  const double inside = recorder.on_device()
                            ? communication(own)
                            : static_cast<double>(comm.nanoseconds_inside() - comm_before) * 1e-9;
  return {.step = elapsed / kSteps,
          .comm = inside / kSteps,
          .optimizer = total_of(own, "optimizer") / kSteps,
          .compute = sum_of(own, kComputeRanges) / kSteps};
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
