#include "bench/runner/split.h"

#include <algorithm>
#include <array>
#include <type_traits>
#include <vector>

namespace bench::runner {
namespace {

constexpr int kSteps = 3;
constexpr int kFields = sizeof(RankSplit) / sizeof(double);
static_assert(std::is_trivially_copyable_v<RankSplit>, "ranks send it as so many numbers");

// Ranges of a training plugin whose own time is arithmetic of the model.
constexpr std::array kComputeRanges = {"forward", "backward", "layer", "head", "recompute"};

double total_of(const std::map<std::string, double>& totals, const char* name) {
  const auto found = totals.find(name);
  return found == totals.end() ? 0.0 : found->second;
}

// Ranges "tp.…", say, in which a stream waits for other ranks of the tensor axis.
double waiting(const std::map<std::string, double>& totals, std::string_view axis) {
  double sum = 0;
  for (const auto& [name, seconds] : totals)
    if (name.starts_with(axis)) sum += seconds;
  return sum;
}

RankSplit measure_own(measure::Subject& subject, CountingCommunicator& comm,
                      trace::Recorder& recorder, Clock& clock) {
  comm.barrier(Stream{});
  const int64_t comm_before = comm.nanoseconds_inside();
  recorder.record(true);
  const int64_t start = clock.now_ns();
  subject.enqueue(kSteps);
  subject.synchronize();
  const double elapsed = static_cast<double>(clock.now_ns() - start) * 1e-9;
  recorder.record(false);
  // Without what ranges inside them took.
  const std::map<std::string, double> own = recorder.exclusive_s();
  RankSplit split{.step = elapsed / kSteps, .optimizer = total_of(own, "optimizer") / kSteps};
  for (const char* name : kComputeRanges) split.compute += total_of(own, name) / kSteps;
  split.tensor = waiting(own, "tp.") / kSteps;
  split.data = waiting(own, "dp.") / kSteps;
  split.pipeline = waiting(own, "pp.") / kSteps;
  // The communicator counts what the host spends in it, which with a GPU is nothing.
  const double inside = static_cast<double>(comm.nanoseconds_inside() - comm_before) * 1e-9;
  if (!recorder.on_device())
    split.unnamed = std::max(0.0, inside / kSteps - split.tensor - split.data - split.pipeline);
  return split;
}

double mean_of(std::span<const RankSplit> ranks, double RankSplit::*field) {
  double sum = 0;
  for (const RankSplit& r : ranks) sum += r.*field;
  return sum / static_cast<double>(ranks.size());
}

double least_of(std::span<const RankSplit> ranks, double RankSplit::*field) {
  double least = ranks.front().*field;
  for (const RankSplit& r : ranks) least = std::min(least, r.*field);
  return least;
}

double waited(const RankSplit& r) { return r.tensor + r.data + r.pipeline + r.unnamed; }

}  // namespace

std::map<std::string, schema::Value> combine_splits(std::span<const RankSplit> ranks,
                                                    double bubble_share) {
  const double step = mean_of(ranks, &RankSplit::step);
  const double compute = mean_of(ranks, &RankSplit::compute);
  const double optimizer = mean_of(ranks, &RankSplit::optimizer);
  const double tensor = least_of(ranks, &RankSplit::tensor);
  const double data = least_of(ranks, &RankSplit::data);
  const double messages = least_of(ranks, &RankSplit::pipeline);
  const double unnamed = least_of(ranks, &RankSplit::unnamed);
  const double bubble = std::min(messages, bubble_share * compute);
  const double exposed = tensor + data + messages - bubble + unnamed;
  double all_waiting = 0;
  for (const RankSplit& r : ranks) all_waiting += waited(r) / static_cast<double>(ranks.size());
  const double skew = all_waiting - exposed - bubble;
  const auto slowest = std::min_element(
      ranks.begin(), ranks.end(),
      [](const RankSplit& a, const RankSplit& b) { return waited(a) < waited(b); });
  return {{"split.step", {step, "s"}},
          {"split.compute", {compute, "s"}},
          {"split.exposed_comm", {exposed, "s"}},
          {"split.exposed_tensor", {tensor, "s"}},
          {"split.exposed_data", {data, "s"}},
          {"split.exposed_pipeline", {messages - bubble, "s"}},
          {"split.bubble", {bubble, "s"}},
          {"split.optimizer", {optimizer, "s"}},
          {"split.skew", {skew, "s"}},
          {"split.other", {step - compute - exposed - bubble - skew - optimizer, "s"}},
          {"split.slowest_rank", {static_cast<double>(slowest - ranks.begin()), "rank"}}};
}

std::map<std::string, schema::Value> split_step(measure::Subject& subject,
                                                CountingCommunicator& comm,
                                                trace::Recorder& recorder, Clock& clock,
                                                double bubble_share) {
  const RankSplit own = measure_own(subject, comm, recorder, clock);
  std::vector<RankSplit> all(static_cast<size_t>(comm.size()));
  comm.all_gather(Stream{}, &own, all.data(), kFields, DType::f64);
  return combine_splits(all, bubble_share);
}

}  // namespace bench::runner
