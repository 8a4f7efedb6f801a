#pragma once
// What a schedule does on its own rank: scratch memory, copies and sums, in the memory that the
// messages are in.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include "bench/device/buffer.h"
#include "parallel/comm/communicator.h"

namespace bench::algorithms {

// Everything in stream order.
class LocalWork {
 public:
  virtual ~LocalWork() = default;
  // into[i] = into[i] op from[i]; bf16 is added in f32 and rounded to nearest even.
  virtual void reduce(Stream s, void* into, const void* from, int64_t count, DType, ReduceOp) = 0;
  virtual void copy(Stream s, void* to, const void* from, size_t bytes) = 0;
  // Until what the stream was given is done: for set-up, never in a timed region.
  virtual void wait(Stream s) = 0;
  // Memory that belongs to the caller's place number `place` (small, its own choice), grown at a
  // size's first call.
  virtual void* scratch(size_t place, size_t bytes) = 0;
};

class HostWork final : public LocalWork {
 public:
  void reduce(Stream s, void* into, const void* from, int64_t count, DType, ReduceOp) override;
  void copy(Stream s, void* to, const void* from, size_t bytes) override;
  void wait(Stream) override {}
  void* scratch(size_t place, size_t bytes) override;

 private:
  std::vector<std::vector<unsigned char>> memory_;
};

class DeviceWork final : public LocalWork {
 public:
  using Reduce = std::function<void(Stream, void*, const void*, int64_t, DType, ReduceOp)>;

  // `reduce` does on the device what LocalWork::reduce says; throws Unsupported for what it cannot.
  // `device` outlives this.
  DeviceWork(Device& device, Reduce reduce) : device_(device), reduce_(std::move(reduce)) {}

  void reduce(Stream s, void* into, const void* from, int64_t count, DType t,
              ReduceOp op) override {
    if (count > 0) reduce_(s, into, from, count, t, op);
  }
  void copy(Stream s, void* to, const void* from, size_t bytes) override {
    if (bytes > 0) device_.copy(s, to, from, bytes);
  }
  void wait(Stream s) override { device_.synchronize(s); }
  void* scratch(size_t place, size_t bytes) override;

 private:
  Device& device_;
  Reduce reduce_;
  std::vector<Buffer<unsigned char>> memory_;
};

}  // namespace bench::algorithms
