#pragma once
// The agreed loop: how one round of one case is timed by all its ranks together, so that every rank runs the
// same counts by construction. Reads as the protocol: first call, calibrate, warm up, sample in blocks,
// check. Everything that is decided is decided from numbers that were reduced over the ranks.

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "bench/base/clock.h"
#include "bench/measure/subject.h"
#include "parallel/comm/communicator.h"

namespace bench::measure {

// How long and how precisely; the same on every rank.
struct StopRule {
  int64_t min_samples = 30;  // 10 for training steps
  int64_t max_samples = 100000;
  double min_seconds = 0.2;
  double max_seconds = 5.0;            // of sampling, this round
  double relative_half_width = 0.01;   // of the 95 % interval of the median
  int64_t fixed_samples = 0;           // > 0: exactly so many, blocks of one iteration
};

struct Settings {
  StopRule stop;
  bool start_barrier = true;         // sync "barrier"; false: "none"
  double min_block_seconds = 0;      // a sample lasts at least so long (1000 clock reads on a CPU)
  int64_t warm_up_cap = 50;          // blocks
  double warm_up_max_seconds = 2.0;
};

// Seconds spent in each named phase, for the report's phases_s.
enum class Phase { first_call, warm_up, samples, verify, gather };
class PhaseSink {
 public:
  virtual ~PhaseSink() = default;
  virtual void enter(Phase phase) = 0;  // until the next enter or leave
  virtual void leave() = 0;
  // Progress of the sampling, rank-agreed numbers: for the console line.
  virtual void progress(int64_t n, double median_s, double half_width_s) = 0;
};

// Decided once, in the first round; the later rounds reuse it.
struct Plan {
  bool made = false;
  int64_t block = 1;       // iterations a sample
  double estimate_s = 0;   // of one iteration: maximum over ranks of the median of five calls
  double first_call_s = 0; // maximum over ranks
  std::vector<double> warm_up_s;  // block medians of the first round's warm-up
};

// What one round gave. Sample vectors have one entry a sample; seconds are of one iteration.
struct RoundSamples {
  std::vector<double> slowest_s;    // maximum over ranks
  std::vector<double> fastest_s;    // minimum over ranks
  std::vector<int32_t> last_rank;   // which rank was the slowest
  std::vector<double> own_s;        // this rank's
  std::string stop_reason;          // converged, max_time, max_samples, fixed
  schema::Verify verify;            // the worst over ranks and over before/after; a wrong round has no samples
};

// One round. Collective over comm; every rank returns the same slowest_s, fastest_s, last_rank, verify. An
// exception of one rank's subject is thrown on every rank, with the first failing rank's words.
RoundSamples run_round(Subject& subject, Communicator& comm, Clock& clock, const Settings& settings, Plan& plan,
                       PhaseSink& phases);

}  // namespace bench::measure
