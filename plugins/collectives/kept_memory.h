#pragma once
// Whether the C library gives freed memory back to the kernel. A library that takes a large
// temporary in every call (Open MPI's all-reduce does) pays for its page faults every time; with
// the memory kept, it does not: how much of its time that is, is worth knowing.

namespace bench::collectives {

// From construction to destruction of the process's allocator. Afterwards the thresholds are where
// glibc's own adaptation ends after large blocks were freed.
class KeptMemory {
 public:
  // Throws Unsupported where the C library has no such knob.
  KeptMemory();
  ~KeptMemory();
  KeptMemory(const KeptMemory&) = delete;
  KeptMemory& operator=(const KeptMemory&) = delete;
};

}  // namespace bench::collectives
