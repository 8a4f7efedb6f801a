#pragma once
// The host's clock behind an interface, so that the measuring loop can be tested without sleeping.

#include <cstdint>

namespace bench {

class Clock {
 public:
  virtual ~Clock() = default;
  virtual int64_t now_ns() = 0;  // monotonic
};

// CLOCK_MONOTONIC through std::chrono::steady_clock.
class SteadyClock final : public Clock {
 public:
  int64_t now_ns() override;
};

// Seconds one now_ns() takes: samples must be far longer than this.
double clock_read_seconds(Clock& clock);

// Moves only when told.
class FakeClock final : public Clock {
 public:
  int64_t now_ns() override { return now_; }
  void advance_ns(int64_t by) { now_ += by; }

 private:
  int64_t now_ = 0;
};

}  // namespace bench
