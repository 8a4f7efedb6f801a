#pragma once
// The host's side of the ABI: C tables over the program's own Device, Communicator and Tracer. A
// table borrows what it is made from; no exception leaves a table's function.

#include <memory>
#include <string>

#include "bench/abi/bench_plugin.h"
#include "bench/base/log.h"
#include "bench/device/context.h"
#include "parallel/comm/communicator.h"

namespace bench::runner {

// What plugins are given when they are created; keeps the words of the last fail().
class PluginHost {
 public:
  PluginHost(std::string plugin_id, Log log, Tracer& tracer);
  PluginHost(const PluginHost&) = delete;
  const bench_host* table() const { return &table_; }
  // The words of the call that just failed, and forgets them.
  std::string take_words();

 private:
  static void log_line(void* ctx, bench_log_level level, const char* text);
  static void fail(void* ctx, const char* why);
  static const void* service(void* ctx, const char* name);

  std::string plugin_id_;
  Log log_;
  Tracer& tracer_;
  std::string words_;
  bench_host table_;
  bench_trace trace_;
};

// Device table; errors go to `host` as words.
class DeviceTable {
 public:
  DeviceTable(Device& device, const PluginHost& host);
  DeviceTable(const DeviceTable&) = delete;
  const bench_device* table() const { return &table_; }

 private:
  Device& device_;
  const PluginHost& host_;
  bench_device table_;
  friend struct DeviceCalls;
};

// Communicator table; a split makes a new one that the plugin frees through its release.
class CommTable {
 public:
  CommTable(Communicator& comm, const PluginHost& host);
  CommTable(std::unique_ptr<Communicator> owned, const PluginHost& host);
  CommTable(const CommTable&) = delete;
  const bench_comm* table() const { return &table_; }

 private:
  std::unique_ptr<Communicator> owned_;
  Communicator& comm_;
  const PluginHost& host_;
  std::string kind_;
  bench_comm table_;
  friend struct CommCalls;
};

}  // namespace bench::runner
