#pragma once
// A minimal host of the plugin ABI: its tables over a CPU device and a communicator, written from
// bench_plugin.h alone, with what tests want to see: words, ranges, how much memory is held.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "bench/abi/bench_plugin.h"
#include "bench/device/cpu/cpu_device.h"
#include "parallel/comm/communicator.h"

namespace bench::plugins::test {

// One rank's host. Its tables live as long as it does.
class Host {
 public:
  explicit Host(Communicator& comm);
  // With a device of the test's own, which must outlive this.
  Host(Communicator& comm, Device& device);
  Host(const Host&) = delete;

  const bench_host* table() const { return &table_; }
  const bench_device* device() const { return &device_table_; }
  const bench_comm* comm() const { return &comm_table_; }

  const std::string& words() const { return words_; }  // the last that fail was given
  int64_t allocations() const { return allocations_; }
  // Memory not yet released, in the order of its allocation.
  struct Block {
    void* memory;
    size_t bytes;
  };
  const std::vector<Block>& held() const { return held_; }
  int64_t ranges_opened() const { return opened_; }
  int64_t ranges_open() const { return opened_ - closed_; }
  int64_t splits_held() const { return splits_held_; }

  // Called after every all-reduce that is in f32 with its result: a test's chance to spoil it.
  std::function<void(float* result, uint64_t count)> after_all_reduce;

 private:
  struct HostCalls;
  struct DeviceCalls;
  struct CommCalls;
  struct Split;

  // What a communicator's table points to; `split` where it was made by split.
  struct CommContext {
    Host* host;
    Communicator* comm;
    Split* split;
  };
  static bench_comm comm_table(CommContext& context);

  CpuDevice cpu_{1};
  Device& device_;
  CommContext world_;
  bench_host table_ = {};
  bench_trace trace_ = {};
  bench_device device_table_ = {};
  bench_comm comm_table_ = {};
  std::string words_;
  int64_t allocations_ = 0;
  std::vector<Block> held_;
  int64_t opened_ = 0, closed_ = 0;
  int64_t splits_held_ = 0;
};

}  // namespace bench::plugins::test
