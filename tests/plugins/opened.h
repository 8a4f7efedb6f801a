#pragma once
// A plugin as a test sees it: opened by file, its cases copied, one of them open.

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "tests/plugins/host.h"

namespace bench::plugins::test {

// The table that the library <id>.<device>.so of this build returns. Throws std::runtime_error with
// the loader's words.
const bench_plugin* table_of(const std::string& id, uint32_t host_major = BENCH_ABI_MAJOR,
                             const std::string& device = "cpu");

// bench_request with what it points to.
struct Request {
  std::string set;
  std::vector<std::pair<std::string, std::string>> options;
  int ranks = 1;
  std::string dtype = "f32";
};

// What a test asks of a case.
struct CaseCopy {
  std::string name;
  std::map<std::string, std::string> params;
  bench_case fields;  // pointers in it are dead
  bool available;
};

// Number of a call that refused, with the words the host was given.
struct Refusal {
  bench_status status;
  std::string words;
};

// One rank's state of a plugin.
class Plugin {
 public:
  Plugin(const std::string& id, Host& host, const std::string& device = "cpu");
  ~Plugin();
  Plugin(const Plugin&) = delete;

  const bench_plugin& table() const { return *table_; }
  // Throws Refusal.
  std::vector<CaseCopy> cases(const Request& request);
  // `args_size`: how much of bench_open_args this host knows.
  void* open(const Request& request, const std::string& name, bench_mode mode = BENCH_MODE_HOT,
             uint32_t args_size = sizeof(bench_open_args));

 private:
  friend class Instance;
  void require(bench_status status);

  Host& host_;
  const bench_plugin* table_;
  void* state_ = nullptr;
};

// One open case. Calls throw Refusal.
class Instance {
 public:
  Instance(Plugin& plugin, const Request& request, const std::string& name)
      : plugin_(plugin), instance_(plugin.open(request, name)) {}
  Instance(Plugin& plugin, const Request& request, const CaseCopy& c)
      : plugin_(plugin), instance_(plugin.open(request, c.name, c.fields.mode)) {}
  ~Instance() { plugin_.table().close(instance_); }
  Instance(const Instance&) = delete;

  void enqueue(int64_t n) { plugin_.require(plugin_.table().enqueue(instance_, n)); }
  void reset() { plugin_.require(plugin_.table().reset(instance_)); }
  struct Found {
    bool passed;
    double error, tolerance;
    std::string detail;
  };
  Found check();
  std::map<std::string, double> values();

  // Of "bench.training/1".
  struct Trajectory {
    std::vector<double> losses, grad_norms;
  };
  Trajectory trajectory();
  std::pair<std::string, std::map<std::string, double>> describe();

 private:
  const bench_training& training();
  Plugin& plugin_;
  void* instance_;
};

// A model that every case runs in a moment.
inline constexpr int kTinySequence = 16;
inline const std::pair<std::string, std::string> kTinyModel = {
    "model", "layers=2,hidden=48,heads=4,seq=16,vocab=300"};

}  // namespace bench::plugins::test
