#pragma once
// A plugin in C++. Derive from Plugin, say which cases there are and how each is opened, and end
// the file with BENCH_PLUGIN(YourPlugin). Exceptions become the ABI's status with their words:
// UsageError "the request makes no sense", Unsupported "cannot be done here", anything else
// "failed".

#include <cmath>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "bench/abi/bench_plugin.h"
#include "bench/base/dtype.h"
#include "bench/base/status.h"
#include "bench/sdk/host.h"
#include "bench/sdk/request.h"

namespace bench::sdk {

// What check() found. error and tolerance are in the check's own measure, stated in `detail` where
// it failed.
struct Check {
  bool passed = false;
  double error = NAN;
  double tolerance = NAN;
  std::string detail;
};

struct Value {
  double value = 0;
  std::string unit;
};

// A case while it is open.
class Instance {
 public:
  virtual ~Instance() = default;
  // Puts n iterations into the stream. Allocates nothing, logs nothing, does not synchronise.
  virtual void enqueue(int64_t n) = 0;
  // Compares what the last enqueue left in the timed buffers with an oracle.
  virtual Check check() = 0;
  // Back to the state after opening; nothing to do where iterations do not depend on each other.
  virtual void reset() {}
  virtual std::map<std::string, Value> values() { return {}; }
};

// An instance whose iterations are optimizer steps.
class TrainingInstance : public Instance {
 public:
  struct Description {
    std::string model;
    // layers, hidden, heads, seq, vocab, padded_vocab, micro_batch, global_batch, parameters, …
    std::map<std::string, double> numbers;
  };
  struct Step {
    double loss = 0, grad_norm = 0;
  };
  virtual Description describe() const = 0;
  // The steps since open or reset, oldest first.
  virtual const std::vector<Step>& trajectory() = 0;
};

// Where an instance lives; valid until it is closed.
struct Place {
  const Context& context;
  Communicator& comm;
};

struct Case {
  std::string name;  // dotted
  std::vector<std::pair<std::string, std::string>> text_params;
  std::vector<std::pair<std::string, double>> number_params;
  DType dtype = DType::f32;
  double flops = 0, bytes = 0;  // of one iteration on this rank
  double tokens = 0;            // of one iteration on all ranks
  double memory_bytes = 0;
  double message_bytes = 0,
         bus_factor = 0;  // collectives: algbw = message_bytes / t, busbw = algbw * bus_factor
  bench_ceiling ceiling = BENCH_CEILING_NONE;
  int tensor_parallel = 0, pipeline_parallel = 0, data_parallel = 0;
  bool sequence_parallel = false;
  bool collective = false, training = false, no_check = false;
  bool host_comm = false;   // on CPUs: MPI itself, say, whatever --comm chose
  bool cold = false;        // timed with empty caches; the parameter "mode" says so in the report
  std::string flank;        // case of the set "ceilings" to be timed around every sample, or empty
  std::string unavailable;  // why it cannot run here, or empty
  std::function<std::unique_ptr<Instance>(const Place&)> open;
};

// The build says for which device a plugin's library is made.
#ifndef BENCH_PLUGIN_DEVICE
#define BENCH_PLUGIN_DEVICE "cpu"
#endif

class Plugin {
 public:
  virtual ~Plugin() = default;
  static constexpr const char* kDevice = BENCH_PLUGIN_DEVICE;
  // Every rank must name the same cases for the same request.
  virtual std::vector<Case> cases(const Request& request) = 0;
};

// What BENCH_PLUGIN needs to know of a plugin.
struct Identity {
  const char *id, *device, *version, *description;
};
using PluginFactory = std::unique_ptr<Plugin> (*)();
const bench_plugin* make_table(const Identity& identity, PluginFactory factory);

}  // namespace bench::sdk

// Exports the plugin. `id` is the file's name without ".<device>.so".
#define BENCH_PLUGIN(Type, id, version, description)                                        \
  extern "C" __attribute__((visibility("default"))) const bench_plugin* bench_plugin_entry( \
      uint32_t, uint32_t) {                                                                 \
    static const bench_plugin* table = bench::sdk::make_table(                              \
        {id, Type::kDevice, version, description},                                          \
        []() -> std::unique_ptr<bench::sdk::Plugin> { return std::make_unique<Type>(); });  \
    return table;                                                                           \
  }
