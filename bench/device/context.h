#pragma once
// What an op or a training step needs to know of its surroundings: passed by reference, kept by
// nobody.

#include <cstdint>

#include "bench/device/device.h"

namespace bench {

// Named ranges; the host shows them in NVTX tools and remembers where each rank is.
class Tracer {
 public:
  virtual ~Tracer() = default;
  virtual void push(Stream s, const char* name, int64_t payload) = 0;  // `name` lives until pop
  virtual void pop(Stream s) = 0;
  // Whether somebody is adding up the ranges' times right now: recorded work, whose ranges nobody
  // sees, is then to be run piece by piece.
  virtual bool recording() const { return false; }
};

class NullTracer final : public Tracer {
 public:
  void push(Stream, const char*, int64_t) override {}
  void pop(Stream) override {}
};

struct Context {
  Device& device;
  Tracer& tracer;
  Stream stream = {};
  // The same bits from run to run, at the price of some speed on GPUs, where a sum's order is
  // otherwise free.
  bool deterministic = true;
};

// A range for a scope.
class Range {
 public:
  Range(const Context& context, const char* name, int64_t payload = 0)
      : tracer_(context.tracer), stream_(context.stream) {
    tracer_.push(stream_, name, payload);
  }
  ~Range() { tracer_.pop(stream_); }
  Range(const Range&) = delete;
  Range& operator=(const Range&) = delete;

 private:
  Tracer& tracer_;
  Stream stream_;
};

}  // namespace bench
