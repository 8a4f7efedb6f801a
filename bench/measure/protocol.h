#pragma once
// The agreed loop: how one round of one case is timed by all its ranks together, so that every rank
// runs the same counts by construction. Reads as the protocol: first call, calibrate, warm up,
// sample in blocks, check. Everything that is decided is decided from numbers that were reduced
// over the ranks.

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "bench/base/clock.h"
#include "bench/measure/sample_timer.h"
#include "bench/measure/stopping.h"
#include "bench/measure/subject.h"
#include "parallel/comm/communicator.h"

namespace bench::measure {

struct Settings {
  StopRule stop;
  bool start_barrier = true;     // sync "barrier" (unless the timer aligns); false: "none"
  double min_block_seconds = 0;  // a sample lasts at least so long; 0: 1000 reads of the clock
  int64_t warm_up_cap = 50;      // blocks
  double warm_up_max_seconds = 2.0;

  // What samples are timed by; null: the clock given to run_round. The first call always is: what
  // it prepares on the host counts.
  SampleTimer* timer = nullptr;

  // Called before every sample's start barrier, outside the time: evicting caches, say. A sample is
  // then a single iteration, because only the first of a block would see what this did.
  std::function<void()> before_sample;

  // A ceiling timed around every pair of samples (flanked.h), already run once; null: none. Samples
  // are then single iterations, and what the stop rule counts and wants precise are groups.
  Subject* flank = nullptr;

  // Training. In the first round the state is reset, exactly trajectory_steps iterations run (with
  // fixed_samples: the samples are these) and the hook may read what they left; then the state is
  // reset again.
  bool training = false;
  int64_t trajectory_steps = 0;
  std::function<void()> after_trajectory;
};

// Seconds spent in each named phase, for the report's phases_s. Calibrating, the rest of a
// trajectory and resets are part of warm_up; everything that ranks tell each other is part of
// gather.
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
  int64_t block = 1;        // iterations a sample
  double estimate_s = 0;    // of one iteration: maximum over ranks of the median of five calls
  double first_call_s = 0;  // maximum over ranks
  std::vector<double> warm_up_s;  // block medians of the first round's warm-up
};

// Seconds of one iteration, the slowest rank's, means over the two of a kept group.
struct FlankedGroup {
  double case_s = 0, flank_s = 0;
};

// What one round gave. Sample vectors have one entry a sample; seconds are of one iteration.
struct RoundSamples {
  std::vector<double> slowest_s;     // maximum over ranks
  std::vector<double> fastest_s;     // minimum over ranks
  std::vector<int32_t> last_rank;    // which rank was the slowest; the lowest of equals
  std::vector<double> own_s;         // this rank's
  std::vector<FlankedGroup> groups;  // with a flank: the samples are theirs, two each
  int64_t dropped_groups = 0;        // whose flanks did not agree
  int64_t launch_bound = 0;          // samples taken, of the rank with the most
  std::string stop_reason;           // converged, max_time, max_samples, fixed; empty when wrong
  schema::Verify verify;  // the worst over ranks and over before/after; a wrong round has no
                          // samples, nor has one whose groups were all dropped
};

// One round. Collective over comm; every rank returns the same slowest_s, fastest_s, last_rank,
// verify. An exception of one rank's subject is thrown on every rank, with the first failing rank's
// words (Guard says as what). The exchanges of the loop itself use host memory: comm must accept
// it. Checked before sampling (first round: what the first call left; a later round starts where
// the last one was checked) and after. With fixed_samples only after: nothing has run before.
RoundSamples run_round(Subject& subject, Communicator& comm, Clock& clock, const Settings& settings,
                       Plan& plan, PhaseSink& phases);

}  // namespace bench::measure
