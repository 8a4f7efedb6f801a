#pragma once
// A part of an op that runs beside the rest of it: on a second stream, which begins where the op's
// stream stands, and which that stream waits for at the end. A graph records it as a branch.

#include "bench/device/context.h"

namespace bench::kernels::cuda {

class Beside {
 public:
  // One at a time for each stream. What `context` was given so far comes before.
  explicit Beside(const Context& context);
  Beside(const Beside&) = delete;
  Beside& operator=(const Beside&) = delete;

  // Where to give the part. Scratch of this context is memory of its own.
  const Context& context() const { return beside_; }
  // What the op's stream is given from now on comes after the part.
  void join();

 private:
  const Context& of_;
  Context beside_;
};

}  // namespace bench::kernels::cuda
