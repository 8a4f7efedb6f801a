#pragma once
// A loaded plugin: identity checked before anything of it runs. Plugins are destroyed but never
// unloaded, since thread pools (OpenMP) and static data of theirs may outlive us.

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "bench/abi/bench_plugin.h"
#include "bench/runner/host_tables.h"
#include "reports/schema/report.h"

namespace bench::runner {

// The host's copy of a bench_case.
struct CaseSpec {
  std::string name;
  schema::Params params;
  std::string dtype;
  bool collective = false, training = false, no_check = false;
  bool host_comm = false;
  double flops = 0, bytes = 0, tokens = 0, memory_bytes = 0, message_bytes = 0, bus_factor = 0;
  bench_ceiling ceiling = BENCH_CEILING_NONE;
  schema::Layout layout;
  bench_mode mode = BENCH_MODE_HOT;
  std::string flank;        // name of the ceiling timed around every sample, or empty
  std::string unavailable;  // empty: can run
};

// The host's copy of a bench_request; view() is valid while this lives unchanged.
struct Request {
  std::string suite, set, device, dtype;
  int ranks = 1;
  int threads = 1;
  uint64_t seed = 0;
  uint64_t last_level_cache_bytes = 0;
  std::vector<std::pair<std::string, std::string>> options;

  struct View {
    std::vector<bench_param> params;
    bench_request request;
  };
  View view() const;
  std::string text() const;  // for hashes and comparisons
};

class Plugin {
 public:
  // Throws EnvironmentError: no such file, no library, no symbol, wrong major, wrong name, create
  // failed.
  static std::unique_ptr<Plugin> load(const std::filesystem::path& file, Log log, Tracer& tracer);
  ~Plugin();
  Plugin(const Plugin&) = delete;

  const std::string& id() const { return id_; }
  const std::string& device() const { return device_; }
  const std::string& version() const { return version_; }
  const std::string& description() const { return description_; }
  const std::filesystem::path& file() const { return file_; }
  uint64_t content_hash() const { return content_hash_; }

  // Throws UsageError when the request makes no sense to the plugin.
  std::vector<CaseSpec> cases(const Request& request);

  const bench_plugin& table() const { return table_; }
  void* state() const { return state_; }
  PluginHost& host() { return *host_; }
  const bench_training* training() const { return training_.size != 0 ? &training_ : nullptr; }
  // Throws the exception that a failed call's status means, with the plugin's words.
  void check(bench_status status, const std::string& doing);

 private:
  Plugin() = default;
  void read_identity(const bench_plugin* given);
  void create(Log log, Tracer& tracer);

  std::filesystem::path file_;
  std::string id_, device_, version_, description_;
  uint64_t content_hash_ = 0;
  bench_plugin table_ = {};
  bench_training training_ = {};
  std::unique_ptr<PluginHost> host_;
  void* state_ = nullptr;
};

}  // namespace bench::runner
