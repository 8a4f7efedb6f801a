#pragma once
// The host's tables behind the project's own interfaces, so that code written for them runs in a
// plugin as it does in a test.

#include <algorithm>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <string>

#include "bench/abi/bench_plugin.h"
#include "bench/base/status.h"
#include "bench/device/context.h"
#include "parallel/comm/communicator.h"

namespace bench::sdk {

// A struct of the other side of the ABI as this build knows it: what its writer had, the rest zero.
template <class T>
T copy_sized(const T& given) {
  T copy = {};
  std::memcpy(&copy, &given, std::min<size_t>(given.size, sizeof(T)));
  return copy;
}

// A call of the host failed; the host already has the words for it.
struct HostRefused : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// The host cannot do what was asked of it, and already has the words for why.
struct HostUnsupported : Unsupported {
  using Unsupported::Unsupported;
};

// The host has no memory of the device left, and the words for it.
struct HostOutOfMemory : EnvironmentError {
  using EnvironmentError::EnvironmentError;
};

// The host itself: log lines, reasons, services.
class Host {
 public:
  explicit Host(const bench_host* table) : table_(table) {}
  void log(bench_log_level level, const std::string& text) const {
    table_->log(table_->ctx, level, text.c_str());
  }
  void fail(const std::string& why) const { table_->fail(table_->ctx, why.c_str()); }
  const bench_trace* trace() const;

 private:
  const bench_host* table_;
};

class HostDevice final : public Device {
 public:
  explicit HostDevice(const bench_device& table);
  const DeviceInfo& info() const override { return info_; }
  void* allocate(size_t bytes) override;
  void release(void* memory) noexcept override { table_.release(table_.ctx, memory); }
  void copy(Stream s, void* to, const void* from, size_t bytes) override;
  void fill(Stream s, void* to, int byte, size_t bytes) override;
  void synchronize(Stream s) override;
  Stream create_stream() override { return {table_.stream_create(table_.ctx)}; }
  void destroy_stream(Stream s) noexcept override { table_.stream_destroy(table_.ctx, s.native); }

 private:
  bench_device table_;
  DeviceInfo info_;
};

class HostCommunicator final : public Communicator {
 public:
  // `owned`: made by split, released at the end.
  HostCommunicator(const bench_comm& table, bool owned)
      : table_(copy_sized(table)), owned_(owned) {}
  ~HostCommunicator() override;
  HostCommunicator(const HostCommunicator&) = delete;
  int rank() const override { return table_.rank; }
  int size() const override { return table_.ranks; }
  std::string_view kind() const override { return table_.kind; }
  bool capturable() const override { return table_.capturable != 0; }
  void barrier(Stream s) override;
  void all_reduce(Stream s, const void* send, void* recv, int64_t count, DType, ReduceOp) override;
  void reduce_scatter(Stream s, const void* send, void* recv, int64_t count, DType,
                      ReduceOp) override;
  void all_gather(Stream s, const void* send, void* recv, int64_t count, DType) override;
  void broadcast(Stream s, void* buffer, int64_t count, DType, int root) override;
  void send(Stream s, const void* buffer, int64_t count, DType, int to, int tag) override;
  void recv(Stream s, void* buffer, int64_t count, DType, int from, int tag) override;
  void exchange(Stream s, std::span<const Outgoing> sends, std::span<const Incoming> receives,
                DType, int tag) override;
  Ticket all_reduce_start(Stream s, const void* send, void* recv, int64_t count, DType,
                          ReduceOp) override;
  Ticket reduce_scatter_start(Stream s, const void* send, void* recv, int64_t count, DType,
                              ReduceOp) override;
  void wait(Stream s, Ticket ticket) override;
  std::unique_ptr<Communicator> split(int color, int key) override;
  std::unique_ptr<Communicator> by_library_algorithm(std::string_view name, int64_t count,
                                                     DType) override;

 private:
  bench_comm table_;
  bool owned_;
};

// Ranges through the host's service, or nowhere where it has none.
class HostTracer final : public Tracer {
 public:
  explicit HostTracer(const bench_trace* table)
      : table_(table != nullptr ? copy_sized(*table) : bench_trace{}) {}
  void push(Stream s, const char* name, int64_t payload) override {
    if (table_.push != nullptr) table_.push(table_.ctx, s.native, name, payload);
  }
  void pop(Stream s) override {
    if (table_.pop != nullptr) table_.pop(table_.ctx, s.native);
  }
  bool recording() const override {
    return table_.recording != nullptr && table_.recording(table_.ctx) != 0;
  }

 private:
  bench_trace table_;
};

}  // namespace bench::sdk
