#pragma once
// Progress of a run on stderr of rank 0: [i/N] case, median ± interval, n, why stopped, ETA.

#include <cstdint>
#include <string>

#include "bench/base/clock.h"
#include "reports/schema/report.h"

namespace bench::app {

enum class ProgressMode { off, lines, rewriting };

// auto: rewriting on a terminal, off elsewhere; always: lines where there is no terminal.
ProgressMode progress_mode(const std::string& option, bool quiet, bool is_terminal);

class Progress {
 public:
  Progress(ProgressMode mode, Clock& clock) : mode_(mode), clock_(&clock) {}
  void begin(int round, int rounds, size_t place, size_t cases, const std::string& name, int ranks);
  void sampling(int64_t n, double median_s, double half_width_s);
  void done(const schema::CaseResult& result, bool last);
  void clear();

 private:
  void show(const std::string& text, bool final);
  std::string eta() const;

  ProgressMode mode_;
  Clock* clock_;
  int64_t started_ns_ = 0;
  double fraction_ = 0;  // of all rounds' cases begun
  std::string head_;
};

// "1.234 ms"
std::string human_seconds(double seconds);

}  // namespace bench::app
