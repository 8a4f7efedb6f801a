#pragma once
// Where ranks that share memory wait for each other: each counts its steps in a cache line of its
// own, which the others read.

#include <atomic>
#include <cstdint>

namespace bench::shared {

// Zeroed memory is a valid start.
struct alignas(128) Counter {
  std::atomic<uint64_t> steps;
};
static_assert(std::atomic<uint64_t>::is_always_lock_free, "shared between processes");

// What a rank wrote before its step k is visible to all who have seen its step k.
class Meeting {
 public:
  Meeting(Counter* counters, int rank, int ranks)
      : counters_(counters), rank_(rank), ranks_(ranks) {}

  // This rank's next step.
  void arrive() { counters_[rank_].steps.store(++steps_, std::memory_order_release); }
  // Returns when every rank has come as far as this one.
  void wait() const {
    for (int r = 0; r < ranks_; ++r) wait_for(r);
  }
  void wait_for(int rank) const;
  void meet() {
    arrive();
    wait();
  }

 private:
  Counter* counters_;
  int rank_, ranks_;
  uint64_t steps_ = 0;
};

}  // namespace bench::shared
