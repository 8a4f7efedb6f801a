#include "bench/measure/sampler.h"

#include <algorithm>

namespace bench::measure {

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
    : subject_(subject), comm_(comm), clock_(clock), settings_(settings), phases_(phases) {
  restart();
}

void Sampler::restart() { start_ns_ = clock_.now_ns(); }

double Sampler::timed_s(Guard& guard, Subject& subject, int64_t iterations) {
  if (settings_.before_sample) guard.run(settings_.before_sample);
  // Also after a failure on this rank: the others wait for it here.
  if (settings_.start_barrier) comm_.barrier(Stream{});
  const int64_t start = clock_.now_ns();
  guard.run([&] {
    subject.enqueue(iterations);
    subject.synchronize();
  });
  return static_cast<double>(clock_.now_ns() - start) * 1e-9 / static_cast<double>(iterations);
}

Block Sampler::take(Phase phase, int64_t samples, int64_t iterations_per_sample) {
  phases_.enter(phase);
  Guard guard;
  std::vector<double> own_s(static_cast<size_t>(samples));
  for (double& sample : own_s) sample = timed_s(guard, subject_, iterations_per_sample);
  phases_.enter(Phase::gather);
  return exchange(guard, std::move(own_s));
}

Block Sampler::take_groups(int64_t groups) {
  phases_.enter(Phase::samples);
  Guard guard;
  std::vector<double> own_s;
  own_s.reserve(static_cast<size_t>(4 * groups));
  for (int64_t i = 0; i < groups; ++i)
    for (Subject* subject : {settings_.flank, &subject_, &subject_, settings_.flank})
      own_s.push_back(timed_s(guard, *subject, 1));
  phases_.enter(Phase::gather);
  return exchange(guard, std::move(own_s));
}

// A row is a rank's samples, its elapsed seconds and its error code: one exchange for all that is
// agreed on.
Block Sampler::exchange(const Guard& guard, std::vector<double> own_s) {
  const size_t samples = own_s.size(), row = samples + 2;
  own_s.push_back(static_cast<double>(clock_.now_ns() - start_ns_) * 1e-9);
  own_s.push_back(guard.code());
  const int ranks = comm_.size();
  std::vector<double> rows(row * static_cast<size_t>(ranks));
  comm_.all_gather(Stream{}, own_s.data(), rows.data(), static_cast<int64_t>(row), DType::f64);
  Block block{.samples = static_cast<int64_t>(samples), .times_s = {}, .elapsed_s = 0};
  for (int r = 0; r < ranks; ++r) {
    const auto begin = rows.begin() + static_cast<int64_t>(row) * r;
    const auto end = begin + static_cast<int64_t>(samples);
    if (end[1] != 0) guard.throw_on_all(comm_, r);
    block.times_s.insert(block.times_s.end(), begin, end);
    block.elapsed_s = std::max(block.elapsed_s, end[0]);
  }
  return block;
}

}  // namespace bench::measure
