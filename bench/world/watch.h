#pragma once
// Who is where, outside of MPI: every rank's monitor thread tells rank 0 over TCP what its main
// thread is doing, so that a rank which hangs in a collective, or is stopped, can still be named
// when a case passes its deadline. The monitor makes no MPI call and wakes five times a second.

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "bench/world/whereabouts.h"
#include "bench/world/world.h"
#include "parallel/comm/counting.h"

namespace bench {

// Written by the main thread, read by the monitor.
class WatchStatus {
 public:
  // Which of the run's cases, counted over all rounds: the same number on every rank. Starts the
  // case's counts.
  void set_place(int64_t place);
  void set_case(std::string name);   // starts the case's counts
  void set_phase(const char* name);  // a literal
  CollectiveCounts& collectives() { return counts_; }
  Whereabouts now() const;

 private:
  mutable std::mutex mutex_;
  std::string case_;
  int64_t place_ = 0;
  std::atomic<const char*> phase_{""};
  int64_t entered_before_ = 0, left_before_ = 0;
  CollectiveCounts counts_;
};

class Watch {
 public:
  // Collective over the world. Throws EnvironmentError where no connection to rank 0's host can be
  // made.
  Watch(World& world, const std::string& host);
  ~Watch();
  Watch(const Watch&) = delete;

  WatchStatus& status();

  // Called once, on the monitor thread of rank 0 (of another rank only where rank 0 itself is
  // silent), when an armed deadline passes. Not expected to return.
  void on_timeout(std::function<void(const std::vector<Laggard>&)> callback);

  void arm(double seconds, int ranks);  // world ranks 0 … ranks-1 run the case
  void disarm();

 private:
  class Monitor;
  std::unique_ptr<Monitor> monitor_;
};

}  // namespace bench
