#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "bench/base/status.h"
#include "reports/schema/fields.h"
#include "reports/schema/json.h"
#include "reports/schema/kernel_fields.h"
#include "reports/schema/outcome.h"
#include "reports/schema/parse_text.h"

namespace bench::schema {
namespace {

using Json = nlohmann::json;

[[noreturn]] void expected(const std::string& path, std::string_view what, const Json& found) {
  throw UsageError(
      fmt::format("{}: expected {}, found {}; `bench validate` shows everything that is wrong",
                  path, what, found.type_name()));
}

class Reader {
 public:
  Reader(const Json& json, std::string path) : json_(json), path_(std::move(path)) {
    if (!json_.is_object()) expected(path_, "an object", json_);
  }

  template <class T>
  void operator()(const char* name, T& x) {
    const auto found = json_.find(name);
    if (found == json_.end())
      throw UsageError(fmt::format("{}: the field '{}' is missing", path_, name));
    read(*found, at(name), x);
  }
  template <class T>
  void extra(const char* name, T& x) {
    const auto found = json_.find(name);
    if (found != json_.end()) read(*found, at(name), x);
  }
  void nullable(const char* name, std::string& x) {
    std::optional<std::string> text;
    (*this)(name, text);
    x = text.value_or("");
  }
  template <class T>
  void count(const char* name, T& x) {
    (*this)(name, x);
  }
  void interval(const char* name, Interval& x, const Number&) {
    std::optional<Interval> found;
    extra(name, found);
    x = found.value_or(Interval{});
  }
  void object(const char* name, auto&& body) {
    static const Json nothing = Json::object();
    const auto found = json_.find(name);
    Reader inner(found != json_.end() ? *found : nothing, at(name));
    body(inner);
  }

 private:
  std::string at(std::string_view name) const { return fmt::format("{}/{}", path_, name); }

  static void read(const Json& j, const std::string& path, std::string& x) {
    if (!j.is_string()) expected(path, "a string", j);
    x = j.get<std::string>();
  }
  static void read(const Json& j, const std::string& path, bool& x) {
    if (!j.is_boolean()) expected(path, "true or false", j);
    x = j.get<bool>();
  }
  template <std::integral T>
  static void read(const Json& j, const std::string& path, T& x) {
    if (!j.is_number_integer()) expected(path, "a whole number", j);
    x = j.get<T>();
  }
  static void read(const Json& j, const std::string& path, double& x) {
    if (!j.is_number() && !j.is_null()) expected(path, "a number or null", j);
    x = j.is_null() ? std::nan("") : j.get<double>();
  }
  static void read(const Json& j, const std::string& path, Interval& x) {
    if (!j.is_array() || j.size() != 2) expected(path, "two numbers", j);
    read(j[0], path + "/0", x.low);
    read(j[1], path + "/1", x.high);
  }
  static void read(const Json& j, const std::string& path, Outcome& x) {
    std::string name;
    read(j, path, name);
    const auto outcome = outcome_by_name(name);
    if (!outcome) throw UsageError(fmt::format("{}: '{}' is no outcome", path, name));
    x = *outcome;
  }
  static void read(const Json& j, const std::string& path, ParamValue& x) {
    if (j.is_string())
      x = j.get<std::string>();
    else if (j.is_boolean())
      x = j.get<bool>();
    else if (j.is_number())
      x = j.get<double>();
    else if (j.is_null())
      x = std::nan("");
    else
      expected(path, "a string, a number or true/false", j);
  }
  template <class T>
  requires std::is_class_v<T>
  static void read(const Json& j, const std::string& path, T& x) {
    Reader reader(j, path);
    fields(reader, x);
  }
  template <class T>
  static void read(const Json& j, const std::string& path, std::optional<T>& x) {
    if (j.is_null())
      x.reset();
    else
      read(j, path, x.emplace());
  }
  template <class T>
  static void read(const Json& j, const std::string& path, std::vector<T>& x) {
    if (!j.is_array()) expected(path, "an array", j);
    x.clear();
    for (size_t i = 0; i < j.size(); ++i)
      read(j[i], fmt::format("{}/{}", path, i), x.emplace_back());
  }
  template <class T>
  static void read(const Json& j, const std::string& path, std::map<std::string, T>& x) {
    if (!j.is_object()) expected(path, "an object", j);
    for (const auto& [key, item] : j.items()) read(item, fmt::format("{}/{}", path, key), x[key]);
  }

  const Json& json_;
  std::string path_;
};

}  // namespace

Report from_json(std::string_view text, std::string_view origin) {
  const Json j = parse_text(text, origin);
  const std::string root(origin);
  const Json schema = j.is_object() ? j.value("schema", Json()) : Json();
  if (!schema.is_object() || schema.value("name", Json()) != kSchemaName)
    throw UsageError(fmt::format("{}: no report of schema {}", root, kSchemaName));
  if (schema.value("version", Json()) != kSchemaVersion)
    throw UsageError(fmt::format("{}: {} version {}; this program reads version {}", root,
                                 kSchemaName, schema.value("version", Json()).dump(),
                                 kSchemaVersion));
  Report report;
  Reader reader(j, root);
  fields(reader, report);
  return report;
}

}  // namespace bench::schema
