#include "tests/plugins/opened.h"

#include <dlfcn.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace bench::plugins::test {
namespace {

void take_value(void* ctx, const char* tag, double value, const char*) {
  (*static_cast<std::map<std::string, double>*>(ctx))[tag] = value;
}

void take_case(void* ctx, const bench_case* c) {
  CaseCopy copy{
      .name = c->name, .params = {}, .fields = *c, .available = c->unavailable == nullptr};
  for (uint32_t i = 0; i < c->param_count; ++i) copy.params[c->params[i].key] = c->params[i].text;
  static_cast<std::vector<CaseCopy>*>(ctx)->push_back(copy);
}

// Calls `call` with the request as the ABI wants it.
template <class F>
auto with_request(const Request& r, F&& call) {
  std::vector<bench_param> options;
  for (const auto& [key, text] : r.options)
    options.push_back({.key = key.c_str(), .text = text.c_str(), .kind = BENCH_PARAM_TEXT});
  const bench_request request{.size = sizeof(bench_request),
                              .suite = "test",
                              .set = r.set.c_str(),
                              .device = "cpu",
                              .dtype = r.dtype.c_str(),
                              .ranks = r.ranks,
                              .threads = 1,
                              .seed = 7,
                              .last_level_cache_bytes = 1 << 16,
                              .options = options.data(),
                              .option_count = static_cast<uint32_t>(options.size())};
  return call(&request);
}

}  // namespace

const bench_plugin* table_of(const std::string& id, uint32_t host_major,
                             const std::string& device) {
  const std::string file = std::string(BENCH_PLUGIN_DIR) + "/" + id + "." + device + ".so";
  void* library = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);  // stays: thread pools outlive it
  if (library == nullptr) throw std::runtime_error(dlerror());
  const auto entry =
      reinterpret_cast<bench_plugin_entry_fn>(dlsym(library, BENCH_PLUGIN_ENTRY_NAME));
  if (entry == nullptr) throw std::runtime_error(file + " exports no entry");
  return entry(host_major, BENCH_ABI_MINOR);
}

Plugin::Plugin(const std::string& id, Host& host, const std::string& device)
    : host_(host), table_(table_of(id, BENCH_ABI_MAJOR, device)) {
  require(table_->create(host.table(), &state_));
}

Plugin::~Plugin() { table_->destroy(state_); }

void Plugin::require(bench_status status) {
  if (status != BENCH_OK) throw Refusal{.status = status, .words = host_.words()};
}

std::vector<CaseCopy> Plugin::cases(const Request& request) {
  std::vector<CaseCopy> all;
  require(with_request(
      request, [&](const bench_request* r) { return table_->cases(state_, r, take_case, &all); }));
  return all;
}

void* Plugin::open(const Request& request, const std::string& name, bench_mode mode,
                   uint32_t args_size) {
  void* instance = nullptr;
  require(with_request(request, [&](const bench_request* r) {
    const bench_open_args args{.size = args_size,
                               .request = r,
                               .name = name.c_str(),
                               .device = host_.device(),
                               .comm = host_.comm(),
                               .stream = nullptr,
                               .mode = mode};
    return table_->open(state_, &args, &instance);
  }));
  return instance;
}

Instance::Found Instance::check() {
  bench_check found{
      .size = sizeof(bench_check), .passed = 0, .error = NAN, .tolerance = NAN, .detail = nullptr};
  plugin_.require(plugin_.table().check(instance_, &found));
  return {.passed = found.passed != 0,
          .error = found.error,
          .tolerance = found.tolerance,
          .detail = found.detail != nullptr ? found.detail : ""};
}

std::map<std::string, double> Instance::values() {
  std::map<std::string, double> values;
  plugin_.require(plugin_.table().values(instance_, take_value, &values));
  return values;
}

const bench_training& Instance::training() {
  const void* found = plugin_.table().interface_by_name(plugin_.state_, "bench.training/1");
  if (found == nullptr) throw std::runtime_error("no bench.training/1");
  return *static_cast<const bench_training*>(found);
}

Instance::Trajectory Instance::trajectory() {
  Trajectory t{.losses = std::vector<double>(100), .grad_norms = std::vector<double>(100)};
  int64_t count = 0;
  plugin_.require(
      training().trajectory(instance_, t.losses.data(), t.grad_norms.data(), 100, &count));
  t.losses.resize(static_cast<size_t>(count));
  t.grad_norms.resize(static_cast<size_t>(count));
  return t;
}

std::pair<std::string, std::map<std::string, double>> Instance::describe() {
  std::map<std::string, double> numbers;
  const char* name = nullptr;
  plugin_.require(training().describe(instance_, take_value, &numbers, &name));
  return {name, numbers};
}

}  // namespace bench::plugins::test
