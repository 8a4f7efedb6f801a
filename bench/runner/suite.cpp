#include "bench/runner/suite.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "bench/base/status.h"

namespace bench::runner {
namespace {
namespace fs = std::filesystem;
using nlohmann::json;

// A JSON object of a suite file that knows where it is, so that every complaint can say so.
class Node {
 public:
  Node(const json& value, std::string where, const std::set<std::string>& known)
      : value_(value), where_(std::move(where)) {
    if (!value.is_object()) throw UsageError(where_ + ": an object is wanted here");
    for (const auto& [key, unused] : value.items())
      if (!known.contains(key))
        throw UsageError(
            fmt::format("{}: unknown key '{}'; known: {}", where_, key, fmt::join(known, ", ")));
  }

  const std::string& where() const { return where_; }
  bool has(const char* key) const { return value_.contains(key); }
  const json& raw(const char* key) const { return value_.at(key); }

  template <class T>
  T get(const char* key, T otherwise) const {
    return has(key) ? required<T>(key) : otherwise;
  }
  template <class T>
  T required(const char* key) const {
    if (!has(key)) throw UsageError(fmt::format("{}: '{}' is missing", where_, key));
    const json& v = value_.at(key);
    const bool fits = std::is_same_v<T, std::string> ? v.is_string()
                      : std::is_same_v<T, bool>      ? v.is_boolean()
                      : std::is_integral_v<T>        ? v.is_number_integer()
                                                     : v.is_number();
    if (!fits)
      throw UsageError(fmt::format("{}: '{}' has the wrong type: {}", where_, key, v.dump()));
    return v.get<T>();
  }

 private:
  const json& value_;
  std::string where_;
};

OptionSet read_options(const Node& node) {
  OptionSet set;
  if (!node.has("options")) return set;
  const json& options = node.raw("options");
  if (!options.is_object()) throw UsageError(node.where() + ": 'options' must be an object");
  for (const auto& [key, value] : options.items()) {
    const std::string where = node.where() + ": options";
    if (value.is_array())
      for (const json& one : value)
        set.set(key, one.is_string() ? one.get<std::string>() : one.dump(), where);
    else
      set.set(key, value.is_string() ? value.get<std::string>() : value.dump(), where);
  }
  return set;
}

SuiteEntry read_entry(const json& value, const std::string& where) {
  const Node node(value, where, {"plugin", "set", "options", "ranks"});
  SuiteEntry entry;
  entry.plugin = node.required<std::string>("plugin");
  entry.set = node.get<std::string>("set", "");
  entry.options = read_options(node);
  entry.ranks = node.get<int>("ranks", 0);
  return entry;
}

std::map<int, std::string> read_models(const Node& node, const char* key) {
  std::map<int, std::string> models;
  if (!node.has(key)) return models;
  const json& table = node.raw(key);
  if (!table.is_object())
    throw UsageError(fmt::format("{}: '{}' must be an object", node.where(), key));
  for (const auto& [ranks, model] : table.items()) {
    int n = 0;
    const auto parsed = std::from_chars(ranks.data(), ranks.data() + ranks.size(), n);
    if (parsed.ec != std::errc() || parsed.ptr != ranks.data() + ranks.size() || n < 1 ||
        !model.is_string())
      throw UsageError(fmt::format("{}: '{}' maps tensor-parallel ranks to model names, not '{}'",
                                   node.where(), key, ranks));
    models[n] = model.get<std::string>();
  }
  return models;
}

ScalingCurve read_curve(const json& value, const std::string& where) {
  const Node node(value, where,
                  {"kind", "models", "full_size_models", "full_size_memory_bytes", "batch"});
  ScalingCurve curve;
  curve.kind = node.required<std::string>("kind");
  if (curve.kind != "weak" && curve.kind != "strong")
    throw UsageError(fmt::format("{}: 'kind' is weak or strong, not '{}'", where, curve.kind));
  curve.models = read_models(node, "models");
  if (!curve.models.contains(1))
    throw UsageError(where + ": 'models' must name the model of one rank, under \"1\"");
  curve.full_size_models = read_models(node, "full_size_models");
  curve.full_size_memory_bytes = node.get<double>("full_size_memory_bytes", 0);
  curve.batch = node.get<int64_t>("batch", 8);
  return curve;
}

const json& array_at(const Node& node, const char* key) {
  if (!node.raw(key).is_array())
    throw UsageError(fmt::format("{}: '{}' must be an array", node.where(), key));
  return node.raw(key);
}

ScalingSpec read_scaling(const json& value, const std::string& where) {
  const Node node(value, where, {"plugin", "options", "max_tensor_parallel", "curves"});
  ScalingSpec spec;
  spec.plugin = node.required<std::string>("plugin");
  spec.options = read_options(node);
  spec.max_tensor_parallel = node.get<int>("max_tensor_parallel", 8);
  if (!node.has("curves")) throw UsageError(where + ": 'curves' is missing");
  for (const json& curve : array_at(node, "curves"))
    spec.curves.push_back(
        read_curve(curve, fmt::format("{}: curve {}", where, spec.curves.size())));
  return spec;
}

std::string read_file(const fs::path& path) {
  std::ifstream in(path);
  std::ostringstream text;
  text << in.rdbuf();
  if (!in) throw UsageError(fmt::format("cannot read the suite file {}", path.string()));
  return text.str();
}

}  // namespace

Suite parse_suite(const std::string& text, const std::string& where) {
  json value;
  try {
    value = json::parse(text);
  } catch (const json::parse_error& e) {
    throw UsageError(fmt::format("suite file {} is no JSON: {}", where, e.what()));
  }
  const Node node(value, "suite file " + where,
                  {"name", "description", "options", "ceilings", "entries", "scaling"});
  Suite suite;
  suite.name = node.required<std::string>("name");
  suite.description = node.get<std::string>("description", "");
  suite.options = read_options(node);
  suite.ceilings = node.get<bool>("ceilings", true);
  if (node.has("entries"))
    for (const json& entry : array_at(node, "entries"))
      suite.entries.push_back(
          read_entry(entry, fmt::format("{}: entry {}", node.where(), suite.entries.size())));
  if (node.has("scaling"))
    suite.scaling = read_scaling(node.raw("scaling"), node.where() + ": scaling");
  if (suite.entries.empty() && !suite.scaling)
    throw UsageError(node.where() + ": nothing to run: give 'entries' or 'scaling'");
  return suite;
}

std::vector<std::string> suite_names(const fs::path& folder) {
  std::vector<std::string> names;
  std::error_code error;
  for (const auto& file : fs::directory_iterator(folder, error))
    if (file.path().extension() == ".json") names.push_back(file.path().stem().string());
  std::sort(names.begin(), names.end());
  return names;
}

Suite load_suite(const std::string& name_or_file, const fs::path& folder) {
  if (name_or_file.ends_with(".json")) return parse_suite(read_file(name_or_file), name_or_file);
  const std::vector<std::string> names = suite_names(folder);
  if (std::find(names.begin(), names.end(), name_or_file) == names.end())
    throw UsageError(fmt::format(
        "there is no suite '{}'; there are: {} (or give the path of a suite file ending in .json)",
        name_or_file, fmt::join(names, ", ")));
  return parse_suite(read_file(folder / (name_or_file + ".json")), name_or_file + ".json");
}

}  // namespace bench::runner
