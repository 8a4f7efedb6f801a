#pragma once
// Finds and loads plugins. Named ones must load; ones found in a folder may fail unless they are
// needed.

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "bench/runner/plugin.h"

namespace bench::runner {

struct BrokenPlugin {
  std::filesystem::path file;
  std::string reason;
};

class PluginSet {
 public:
  // `named`: files that must load (EnvironmentError otherwise). `folders`: every *.so in them is
  // tried, but for those whose name says that they are for another device than `device` (empty:
  // for any), which may want libraries that are not here; a later plugin with the id and device of
  // an earlier one is an error when named, else it is passed over and noted.
  PluginSet(const std::vector<std::string>& named,
            const std::vector<std::filesystem::path>& folders, const std::string& device, Log log,
            Tracer& tracer);

  // Throws EnvironmentError with the reason it did not load, or that it is missing and where it was
  // looked for.
  Plugin& need(const std::string& id, const std::string& device);
  const std::vector<std::unique_ptr<Plugin>>& all() const { return plugins_; }
  const std::vector<BrokenPlugin>& broken() const { return broken_; }
  // Ids, devices and contents: equal on all ranks or the run stops.
  uint64_t content_hash() const;

 private:
  Plugin* find(const std::string& id, const std::string& device) const;
  bool is_there(const std::string& id, const char* device) const;
  void load_named(const std::string& file, Log log, Tracer& tracer);
  void load_folder(const std::filesystem::path& folder, const std::string& device, Log log,
                   Tracer& tracer);

  std::vector<std::unique_ptr<Plugin>> plugins_;
  std::vector<BrokenPlugin> broken_;
  std::vector<std::filesystem::path> folders_;
};

}  // namespace bench::runner
