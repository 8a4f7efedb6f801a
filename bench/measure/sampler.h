#pragma once
// Blocks of samples. Inside a block nothing is communicated but what the case itself does and the
// start barrier; after it one exchange tells every rank all the times.

#include <cstdint>
#include <span>
#include <vector>

#include "bench/measure/guard.h"
#include "bench/measure/protocol.h"

namespace bench::measure {

// `samples` times of every rank, known to every rank. Seconds of one iteration.
struct Block {
  int64_t samples = 0;
  std::vector<double> times_s;  // (rank, sample)
  double elapsed_s = 0;         // since restart, maximum over ranks
  int64_t launch_bound = 0;     // how many of them were, of the rank with the most

  std::span<const double> of_rank(int rank) const;
  int ranks() const { return static_cast<int>(static_cast<int64_t>(times_s.size()) / samples); }
  int slowest_rank(int64_t sample) const;  // the lowest of equals
  std::vector<double> slowest_s() const;   // per sample
  // Append to a round's vectors; own_rank is this rank.
  void append_to(RoundSamples& round, int own_rank) const;
  void append_sample_to(RoundSamples& round, int own_rank, int64_t sample) const;
};

class Sampler {
 public:
  Sampler(Subject& subject, Communicator& comm, Clock& clock, const Settings& settings,
          PhaseSink& phases);

  // Block::elapsed_s counts from here.
  void restart();
  // Collective. Throws on all ranks what the subject threw on one.
  Block take(Phase phase, int64_t samples, int64_t iterations_per_sample);
  // Groups of four single iterations: flank, subject, subject, flank (Settings::flank).
  Block take_groups(int64_t groups);

 private:
  // A block as one rank takes it.
  struct OwnBlock {
    Guard guard;
    std::vector<double> times_s;
    int64_t launch_bound = 0;
  };
  void sample(OwnBlock& own, SampleTimer& timer, Subject& subject, int64_t iterations);
  Block exchange(OwnBlock own);

  Subject& subject_;
  Communicator& comm_;
  Clock& clock_;
  const Settings& settings_;
  PhaseSink& phases_;
  HostTimer host_timer_;
  SampleTimer& timer_;
  int64_t start_ns_ = 0;
};

}  // namespace bench::measure
