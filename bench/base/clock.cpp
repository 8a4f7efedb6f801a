#include "bench/base/clock.h"

#include <chrono>

namespace bench {

int64_t SteadyClock::now_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

double clock_read_seconds(Clock& clock) {
  constexpr int kReads = 1000;
  const int64_t start = clock.now_ns();
  int64_t last = start;
  for (int i = 0; i < kReads; ++i) last = clock.now_ns();
  return static_cast<double>(last - start) * 1e-9 / kReads;
}

}  // namespace bench
