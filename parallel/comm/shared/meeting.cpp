#include "parallel/comm/shared/meeting.h"

#include <sched.h>

namespace bench::shared {
namespace {

// A rank with a core of its own answers within microseconds; where ranks share cores, spinning
// longer would keep the one that is waited for from running.
constexpr int kSpins = 2000;

void pause_briefly() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

}  // namespace

void Meeting::wait_for(int rank) const {
  const std::atomic<uint64_t>& theirs = counters_[rank].steps;
  // Not counted on: a wait of a quarter of an hour would be more than an int holds.
  for (int spins = 0; theirs.load(std::memory_order_acquire) < steps_;) {
    if (spins < kSpins) {
      ++spins;
      pause_briefly();
    } else {
      sched_yield();
    }
  }
}

}  // namespace bench::shared
