#include "bench/runner/loader.h"

#include <fmt/format.h>

#include <algorithm>

#include "bench/base/hash.h"
#include "bench/base/status.h"

namespace bench::runner {
namespace fs = std::filesystem;

PluginSet::PluginSet(const std::vector<std::string>& named, const std::vector<fs::path>& folders,
                     Log log, Tracer& tracer)
    : folders_(folders) {
  for (const std::string& file : named) load_named(file, log, tracer);
  for (const fs::path& folder : folders) load_folder(folder, log, tracer);
}

Plugin* PluginSet::find(const std::string& id, const std::string& device) const {
  for (const auto& p : plugins_)
    if (p->id() == id && p->device() == device) return p.get();
  return nullptr;
}

void PluginSet::load_named(const std::string& file, Log log, Tracer& tracer) {
  auto plugin = Plugin::load(file, log, tracer);
  if (const Plugin* earlier = find(plugin->id(), plugin->device()))
    throw EnvironmentError(
        fmt::format("--plugin {} has the same name as {}: a plugin's id and device must be unique",
                    file, earlier->file().string()));
  plugins_.push_back(std::move(plugin));
}

void PluginSet::load_folder(const fs::path& folder, Log log, Tracer& tracer) {
  std::error_code error;
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(folder, error))
    if (entry.path().extension() == ".so") files.push_back(entry.path());
  if (error)
    throw EnvironmentError(
        fmt::format("plugin folder {} cannot be read: {}", folder.string(), error.message()));
  std::sort(files.begin(), files.end());
  for (const fs::path& file : files) {
    try {
      auto plugin = Plugin::load(file, log, tracer);
      if (const Plugin* earlier = find(plugin->id(), plugin->device()))
        throw EnvironmentError(fmt::format("{} is passed over: {} has the same id and device",
                                           file.string(), earlier->file().string()));
      plugins_.push_back(std::move(plugin));
    } catch (const EnvironmentError& e) {
      log.warning(e.what());
      broken_.push_back({.file = file, .reason = e.what()});
    }
  }
}

Plugin& PluginSet::need(const std::string& id, const std::string& device) {
  if (Plugin* found = find(id, device)) return *found;
  const std::string file = id + "." + device + ".so";
  for (const BrokenPlugin& b : broken_)
    if (b.file.filename() == file)
      throw EnvironmentError(fmt::format("the suite needs plugin '{}': {}", id, b.reason));
  std::string looked;
  for (const fs::path& folder : folders_) looked += (looked.empty() ? "" : ", ") + folder.string();
  throw EnvironmentError(fmt::format("the suite needs plugin '{}' for {}, but there is no {} in {}",
                                     id, device, file, looked));
}

uint64_t PluginSet::content_hash() const {
  uint64_t h = kHashStart;
  for (const auto& p : plugins_)
    h = hash_bytes(fmt::format("{}.{}:{:x};", p->id(), p->device(), p->content_hash()), h);
  return h;
}

}  // namespace bench::runner
