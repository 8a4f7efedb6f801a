#pragma once
// The most memory this process held at once, above what it held at the start: the kernel's
// high-water mark of resident memory (VmHWM), which writing 5 to clear_refs sets back (proc(5)).

#include <optional>
#include <string>

namespace bench::measure {

class PeakMemory {
 public:
  explicit PeakMemory(std::string proc_folder = "/proc/self");

  // Why the mark cannot be set back or read here; empty: it can.
  static std::string why_not(const std::string& proc_folder = "/proc/self");

  // From here on. Gives freed memory back first, so that what is allocated next is new.
  void begin();
  // What happens until resume does not count: a check and its oracle.
  void pause();
  void resume();
  // Bytes; empty when not begun, or not known here.
  std::optional<double> net_bytes();

 private:
  void mark();
  void take();

  std::string proc_folder_;
  bool counting_ = false;
  std::optional<double> baseline_, peak_;
};

}  // namespace bench::measure
