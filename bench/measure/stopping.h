#pragma once
// When a round has seen enough. Fed with numbers that all ranks share, so all ranks stop at the
// same sample.

#include <cstdint>
#include <string_view>
#include <vector>

#include "reports/schema/report.h"

namespace bench::measure {

// How long and how precisely; the same on every rank.
struct StopRule {
  int64_t min_samples = 30;  // 10 for training steps
  int64_t max_samples = 100000;
  double min_seconds = 0.2;
  double max_seconds = 5.0;           // of sampling, this round
  double relative_half_width = 0.01;  // of the 95 % interval of the median
  int64_t fixed_samples = 0;          // > 0: exactly so many, blocks of one iteration
};

class Stopping {
 public:
  explicit Stopping(const StopRule& rule) : rule_(rule) {}

  // Seconds of one more iteration (a sample: a block's mean).
  void add(double sample_s) { samples_.push_back(sample_s); }

  // One more was taken and is not used: counts where samples are, but tells no time.
  void drop() { ++dropped_; }

  // After `elapsed_s` of sampling: converged, max_time, max_samples, fixed; empty: go on.
  std::string_view reason(double elapsed_s);

  // How many samples to take before asking again, when one takes about `sample_s`: 1 … 256, about
  // 0.25 s, and never past the rule's caps.
  int64_t next_block(double sample_s, double elapsed_s) const;

  int64_t count() const { return static_cast<int64_t>(samples_.size()); }
  int64_t taken() const { return count() + dropped_; }
  // Of everything up to the last reason().
  double median_s() const { return median_s_; }
  double half_width_s() const { return half_width_s_; }

 private:
  void update();
  bool precise() const;

  StopRule rule_;
  std::vector<double> samples_;
  int64_t dropped_ = 0;
  std::vector<double> partly_sorted_;
  double median_s_ = 0, half_width_s_ = 0;
};

}  // namespace bench::measure
