#pragma once
// Suites are data: a JSON file that says which plugins' case sets to run, with which options, and,
// for scaling, along which curves.

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "bench/runner/options.h"

namespace bench::runner {

struct SuiteEntry {
  std::string plugin;
  std::string set;    // of the plugin; "" = its default
  OptionSet options;  // of this entry only, over the suite's
  int ranks = 0;      // 0 = all
};

// One way of growing: points at 1, 2, 4 … N ranks.
struct ScalingCurve {
  std::string kind;                             // weak or strong
  std::map<int, std::string> models;            // tensor-parallel ranks -> model
  std::map<int, std::string> full_size_models;  // the published ones, for devices they fit on
  double full_size_memory_bytes = 0;            // a rank's memory from which they are used
  int64_t batch = 8;                            // sequences of the one-rank step
};

struct ScalingSpec {
  std::string plugin;
  OptionSet options;
  int max_tensor_parallel = 8;
  std::vector<ScalingCurve> curves;
};

struct Suite {
  std::string name;
  std::string description;
  OptionSet options;     // defaults under the command line's
  bool ceilings = true;  // measure the machine's limits in the same rounds
  std::vector<SuiteEntry> entries;
  std::optional<ScalingSpec> scaling;
};

// A name (looked up in folder) or a path that ends in .json. Throws UsageError that names the file
// and the place in it, or lists the suites there are.
Suite load_suite(const std::string& name_or_file, const std::filesystem::path& folder);
Suite parse_suite(const std::string& json, const std::string& where);
std::vector<std::string> suite_names(const std::filesystem::path& folder);

}  // namespace bench::runner
