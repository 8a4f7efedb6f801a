#include "bench/runner/loader.h"

#include <fmt/format.h>

#include <algorithm>

#include "bench/base/hash.h"
#include "bench/base/status.h"

namespace bench::runner {
namespace fs = std::filesystem;
namespace {

constexpr const char* kDevices[] = {name_of(DeviceKind::cpu), name_of(DeviceKind::cuda)};

// As far as its name tells: <id>.<device>.so.
bool is_for_another_device(const fs::path& file, const std::string& device) {
  const std::string named = file.stem().extension();
  return !device.empty() && named != "." + device &&
         std::any_of(std::begin(kDevices), std::end(kDevices),
                     [&](const char* known) { return named == std::string(".") + known; });
}

}  // namespace

PluginSet::PluginSet(const std::vector<std::string>& named, const std::vector<fs::path>& folders,
                     const std::string& device, Log log, Tracer& tracer)
    : folders_(folders) {
  for (const std::string& file : named) load_named(file, log, tracer);
  for (const fs::path& folder : folders) load_folder(folder, device, log, tracer);
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

void PluginSet::load_folder(const fs::path& folder, const std::string& device, Log log,
                            Tracer& tracer) {
  std::error_code error;
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(folder, error))
    if (entry.path().extension() == ".so" && !is_for_another_device(entry.path(), device))
      files.push_back(entry.path());
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

bool PluginSet::is_there(const std::string& id, const char* device) const {
  return find(id, device) != nullptr ||
         std::any_of(folders_.begin(), folders_.end(), [&](const fs::path& folder) {
           return fs::exists(folder / (id + "." + device + ".so"));
         });
}

Plugin& PluginSet::need(const std::string& id, const std::string& device) {
  if (Plugin* found = find(id, device)) return *found;
  const std::string file = id + "." + device + ".so";
  for (const BrokenPlugin& b : broken_)
    if (b.file.filename() == file)
      throw EnvironmentError(fmt::format("the suite needs plugin '{}': {}", id, b.reason));
  std::string looked;
  for (const fs::path& folder : folders_) looked += (looked.empty() ? "" : ", ") + folder.string();
  std::string words = fmt::format("the suite needs plugin '{}' for {}, but there is no {} in {}",
                                  id, device, file, looked);
  for (const char* other : kDevices)
    if (other != device && is_there(id, other))
      words += fmt::format("; it is there for {}: give --device {}, or build it for {}", other,
                           other, device);
  throw EnvironmentError(words);
}

uint64_t PluginSet::content_hash() const {
  uint64_t h = kHashStart;
  for (const auto& p : plugins_)
    h = hash_bytes(fmt::format("{}.{}:{:x};", p->id(), p->device(), p->content_hash()), h);
  return h;
}

}  // namespace bench::runner
