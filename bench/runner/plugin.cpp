#include "bench/runner/plugin.h"

#include <dlfcn.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <fstream>
#include <sstream>

#include "bench/base/hash.h"
#include "bench/base/status.h"

namespace bench::runner {
namespace {
namespace fs = std::filesystem;

// Reads a struct of another build: what it has, the rest zero.
template <class T>
T copy_sized(const T* given) {
  T copy = {};
  std::memcpy(&copy, given, std::min<size_t>(given->size, sizeof(T)));
  return copy;
}

std::string text_or_empty(const char* text) { return text != nullptr ? text : ""; }

schema::ParamValue param_value(const bench_param& p) {
  const std::string text = text_or_empty(p.text);
  if (p.kind == BENCH_PARAM_BOOLEAN) return text == "true";
  if (p.kind == BENCH_PARAM_NUMBER) {
    double value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
  }
  return text;
}

// A hot case may call its state otherwise: "step", or "cold" for data that no cache holds.
void read_mode(const bench_case& c, CaseSpec& spec) {
  spec.mode = c.mode;
  if (c.mode == BENCH_MODE_COLD)
    spec.params["mode"] = "cold";
  else
    spec.params.try_emplace("mode", spec.training ? "step" : "hot");
  if (c.mode != BENCH_MODE_HOT && c.mode != BENCH_MODE_COLD)
    spec.unavailable = fmt::format("this program does not know its mode {}", c.mode);
  else if (spec.training && c.mode == BENCH_MODE_COLD)
    spec.unavailable = "a training step is never timed cold: its iterations follow each other";
}

CaseSpec read_case(const bench_case* given) {
  const bench_case c = copy_sized(given);
  CaseSpec spec;
  spec.name = text_or_empty(c.name);
  for (uint32_t i = 0; i < c.param_count; ++i)
    spec.params[c.params[i].key] = param_value(c.params[i]);
  spec.dtype = name_of(static_cast<DType>(c.dtype));
  spec.collective = (c.flags & BENCH_CASE_COLLECTIVE) != 0;
  spec.training = (c.flags & BENCH_CASE_TRAINING) != 0;
  spec.host_comm = (c.flags & BENCH_CASE_HOST_COMM) != 0;
  spec.no_check = (c.flags & BENCH_CASE_NO_CHECK) != 0;
  spec.flops = c.flops;
  spec.bytes = c.bytes;
  spec.tokens = c.tokens;
  spec.memory_bytes = c.memory_bytes;
  spec.message_bytes = c.message_bytes;
  spec.bus_factor = c.bus_factor;
  spec.ceiling = c.ceiling;
  spec.layout = {.tp = c.tensor_parallel,
                 .pp = c.pipeline_parallel,
                 .dp = c.data_parallel,
                 .sequence_parallel = c.sequence_parallel != 0};
  spec.unavailable = text_or_empty(c.unavailable);
  read_mode(c, spec);
  spec.flank = text_or_empty(c.flank);
  return spec;
}

bool good_name(const std::string& name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](unsigned char ch) {
    return std::isalnum(ch) != 0 || ch == '.' || ch == '_' || ch == '-';
  });
}

// Gathers what the sink is given; a case is copied before the sink returns.
struct CaseCollector {
  std::vector<CaseSpec> cases;
  static void take(void* ctx, const bench_case* c) {
    static_cast<CaseCollector*>(ctx)->cases.push_back(read_case(c));
  }
};

uint64_t hash_file(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::ostringstream bytes;
  bytes << in.rdbuf();
  return hash_bytes(bytes.view());
}

// The dynamic linker's words, and what to do when what it lacks is a library of CUDA's.
std::string why_not_opened() {
  std::string words = dlerror();
  const size_t end = words.find(": cannot open shared object file");
  const std::string library = end == std::string::npos ? "" : words.substr(0, end);
  for (const char* of_cuda : {"libcuda", "libcudart", "libcublas", "libcudnn", "libnccl", "libnv"})
    if (library.starts_with(of_cuda))
      return fmt::format(
          "{}; add the folder that holds {} to LD_LIBRARY_PATH ($CUDA_HOME/lib64, or lib in one of "
          "Python's nvidia packages)",
          words, library);
  return words;
}

void* open_library(const fs::path& file) {
  if (!fs::is_regular_file(file))
    throw EnvironmentError(
        fmt::format("plugin {} does not exist or is no file; check the path", file.string()));
  void* library = dlopen(fs::absolute(file).c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr)
    throw EnvironmentError(fmt::format("plugin {} cannot be opened as a library: {}", file.string(),
                                       why_not_opened()));
  return library;
}

}  // namespace

Request::View Request::view() const {
  View view;
  for (const auto& [key, value] : options)
    view.params.push_back({.key = key.c_str(), .text = value.c_str(), .kind = BENCH_PARAM_TEXT});
  view.request = bench_request{.size = sizeof(bench_request),
                               .suite = suite.c_str(),
                               .set = set.c_str(),
                               .device = device.c_str(),
                               .dtype = dtype.c_str(),
                               .ranks = ranks,
                               .threads = threads,
                               .seed = seed,
                               .last_level_cache_bytes = last_level_cache_bytes,
                               .options = view.params.data(),
                               .option_count = static_cast<uint32_t>(view.params.size())};
  return view;
}

std::string Request::text() const {
  std::string all = fmt::format("{}|{}|{}|{}|{}|{}", suite, set, device, dtype, ranks, seed);
  for (const auto& [key, value] : options) all += fmt::format("|{}={}", key, value);
  return all;
}

std::unique_ptr<Plugin> Plugin::load(const fs::path& file, Log log, Tracer& tracer) {
  std::unique_ptr<Plugin> plugin(new Plugin);
  plugin->file_ = file;
  void* library = open_library(file);
  auto entry = reinterpret_cast<bench_plugin_entry_fn>(dlsym(library, BENCH_PLUGIN_ENTRY_NAME));
  if (entry == nullptr)
    throw EnvironmentError(fmt::format("{} is a library but no plugin: it does not export {}",
                                       file.string(), BENCH_PLUGIN_ENTRY_NAME));
  plugin->read_identity(entry(BENCH_ABI_MAJOR, BENCH_ABI_MINOR));
  plugin->content_hash_ = hash_file(file);
  plugin->create(log, tracer);
  return plugin;
}

void Plugin::read_identity(const bench_plugin* given) {
  if (given == nullptr)
    throw EnvironmentError(fmt::format("plugin {} returned no table", file_.string()));
  if (given->abi_major != BENCH_ABI_MAJOR)
    throw EnvironmentError(fmt::format(
        "plugin {} was built for ABI {}.{}, this program has {}.{}: rebuild the plugin",
        file_.string(), given->abi_major, given->abi_minor, BENCH_ABI_MAJOR, BENCH_ABI_MINOR));
  table_ = copy_sized(given);
  id_ = text_or_empty(table_.id);
  device_ = text_or_empty(table_.device);
  version_ = text_or_empty(table_.version);
  description_ = text_or_empty(table_.description);
  const std::string expected = id_ + "." + device_ + ".so";
  if (file_.filename() != expected)
    throw EnvironmentError(
        fmt::format("plugin {} calls itself '{}' for '{}': its file must be named {}",
                    file_.string(), id_, device_, expected));
  for (const void* needed :
       {reinterpret_cast<const void*>(table_.create), reinterpret_cast<const void*>(table_.destroy),
        reinterpret_cast<const void*>(table_.cases), reinterpret_cast<const void*>(table_.open),
        reinterpret_cast<const void*>(table_.enqueue), reinterpret_cast<const void*>(table_.check),
        reinterpret_cast<const void*>(table_.close)})
    if (needed == nullptr)
      throw EnvironmentError(
          fmt::format("plugin {} leaves a required function of its table empty", file_.string()));
}

void Plugin::create(Log log, Tracer& tracer) {
  host_ = std::make_unique<PluginHost>(id_, log, tracer);
  if (table_.create(host_->table(), &state_) != BENCH_OK)
    throw EnvironmentError(
        fmt::format("plugin {} could not be created: {}", file_.string(), host_->take_words()));
  if (table_.interface_by_name == nullptr) return;
  if (const void* training = table_.interface_by_name(state_, "bench.training/1"))
    training_ = copy_sized(static_cast<const bench_training*>(training));
}

Plugin::~Plugin() {
  if (state_ != nullptr) table_.destroy(state_);
}

void Plugin::check(bench_status status, const std::string& doing) {
  if (status == BENCH_OK) return;
  const std::string words = host_->take_words();
  if (status == BENCH_UNSUPPORTED) throw Unsupported(words);
  if (status == BENCH_INVALID) throw UsageError(words);
  throw std::runtime_error(fmt::format("plugin {}, {}: {}", id_, doing, words));
}

std::vector<CaseSpec> Plugin::cases(const Request& request) {
  CaseCollector collector;
  const Request::View view = request.view();
  check(table_.cases(state_, &view.request, &CaseCollector::take, &collector), "listing cases");
  for (const CaseSpec& c : collector.cases)
    if (!good_name(c.name))
      throw EnvironmentError(fmt::format(
          "plugin {} names a case '{}': only letters, digits, '.', '_' and '-' are allowed", id_,
          c.name));
  return std::move(collector.cases);
}

}  // namespace bench::runner
