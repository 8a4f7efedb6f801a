#include "bench/measure/sampler.h"

#include <algorithm>

namespace bench::measure {
namespace {

constexpr size_t kBesideTimes = 3;  // numbers that a rank tells with its times

}  // namespace

std::span<const double> Block::of_rank(int rank) const {
  return std::span(times_s).subspan(static_cast<size_t>(rank * samples),
                                    static_cast<size_t>(samples));
}

int Block::slowest_rank(int64_t sample) const {
  int slowest = 0;
  for (int r = 1; r < ranks(); ++r) {
    if (of_rank(r)[static_cast<size_t>(sample)] > of_rank(slowest)[static_cast<size_t>(sample)])
      slowest = r;
  }
  return slowest;
}

std::vector<double> Block::slowest_s() const {
  std::vector<double> slowest;
  slowest.reserve(static_cast<size_t>(samples));
  for (int64_t i = 0; i < samples; ++i)
    slowest.push_back(of_rank(slowest_rank(i))[static_cast<size_t>(i)]);
  return slowest;
}

void Block::append_to(RoundSamples& round, int own_rank) const {
  for (int64_t i = 0; i < samples; ++i) append_sample_to(round, own_rank, i);
}

void Block::append_sample_to(RoundSamples& round, int own_rank, int64_t sample) const {
  const size_t at = static_cast<size_t>(sample);
  const int last = slowest_rank(sample);
  double fastest = of_rank(0)[at];
  for (int r = 1; r < ranks(); ++r) fastest = std::min(fastest, of_rank(r)[at]);
  round.slowest_s.push_back(of_rank(last)[at]);
  round.fastest_s.push_back(fastest);
  round.last_rank.push_back(last);
  round.own_s.push_back(of_rank(own_rank)[at]);
}

Sampler::Sampler(Subject& subject, Communicator& comm, Clock& clock, const Settings& settings,
                 PhaseSink& phases)
    : subject_(subject),
      comm_(comm),
      clock_(clock),
      settings_(settings),
      phases_(phases),
      host_timer_(clock),
      timer_(settings.timer != nullptr ? *settings.timer : host_timer_) {
  restart();
}

void Sampler::restart() { start_ns_ = clock_.now_ns(); }

void Sampler::sample(OwnBlock& own, SampleTimer& timer, Subject& subject, int64_t iterations) {
  if (settings_.before_sample) own.guard.run(settings_.before_sample);
  // Also after a failure on this rank: the others wait for it here.
  if (settings_.start_barrier) comm_.barrier(Stream{});
  SampleTime time;
  own.guard.run([&] { time = timer.time(subject, iterations); });
  own.times_s.push_back(time.seconds / static_cast<double>(iterations));
  own.launch_bound += time.launch_bound ? 1 : 0;
}

Block Sampler::take(Phase phase, int64_t samples, int64_t iterations_per_sample) {
  phases_.enter(phase);
  SampleTimer& timer = phase == Phase::first_call ? host_timer_ : timer_;
  OwnBlock own;
  own.times_s.reserve(static_cast<size_t>(samples) + kBesideTimes);
  for (int64_t i = 0; i < samples; ++i) sample(own, timer, subject_, iterations_per_sample);
  phases_.enter(Phase::gather);
  return exchange(std::move(own));
}

Block Sampler::take_groups(int64_t groups) {
  phases_.enter(Phase::samples);
  OwnBlock own;
  own.times_s.reserve(static_cast<size_t>(4 * groups) + kBesideTimes);
  for (int64_t i = 0; i < groups; ++i)
    for (Subject* subject : {settings_.flank, &subject_, &subject_, settings_.flank})
      sample(own, timer_, *subject, 1);
  phases_.enter(Phase::gather);
  return exchange(std::move(own));
}

// A row is a rank's samples, how many of them were launch-bound, its elapsed seconds and its error
// code: one exchange for all that is agreed on.
Block Sampler::exchange(OwnBlock own) {
  const size_t samples = own.times_s.size(), row = samples + kBesideTimes;
  own.times_s.push_back(static_cast<double>(own.launch_bound));
  own.times_s.push_back(static_cast<double>(clock_.now_ns() - start_ns_) * 1e-9);
  own.times_s.push_back(own.guard.code());
  const int ranks = comm_.size();
  std::vector<double> rows(row * static_cast<size_t>(ranks));
  comm_.all_gather(Stream{}, own.times_s.data(), rows.data(), static_cast<int64_t>(row),
                   DType::f64);
  Block block{.samples = static_cast<int64_t>(samples), .times_s = {}, .elapsed_s = 0};
  for (int r = 0; r < ranks; ++r) {
    const auto begin = rows.begin() + static_cast<int64_t>(row) * r;
    const auto end = begin + static_cast<int64_t>(samples);
    if (end[2] != 0) own.guard.throw_on_all(comm_, r);
    block.times_s.insert(block.times_s.end(), begin, end);
    block.launch_bound = std::max(block.launch_bound, static_cast<int64_t>(end[0]));
    block.elapsed_s = std::max(block.elapsed_s, end[1]);
  }
  return block;
}

}  // namespace bench::measure
