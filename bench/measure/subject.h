#pragma once
// What the measuring loop times. The runner makes one from a plugin's case; tests make their own.

#include <cstdint>

#include "bench/device/device.h"
#include "reports/schema/report.h"

namespace bench::measure {

class Subject {
 public:
  virtual ~Subject() = default;
  // Puts n iterations into the stream (on a CPU: runs them). Throws when it went wrong.
  virtual void enqueue(int64_t n) = 0;
  // Returns when everything enqueued has finished.
  virtual void synchronize() = 0;
  // Where enqueue puts its work.
  virtual Stream stream() const { return {}; }
  virtual schema::Verify check() = 0;
  // Back to the state after opening; a no-op where iterations do not depend on each other.
  virtual void reset() = 0;
};

}  // namespace bench::measure
