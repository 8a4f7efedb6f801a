#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "reports/schema/fields.h"
#include "reports/schema/json.h"
#include "reports/schema/kernel_fields.h"
#include "reports/schema/outcome.h"

namespace bench::schema {
namespace {

using Json = nlohmann::ordered_json;

// Whole numbers without a fraction, so that counts and parameters read as such.
Json counted(double x) {
  constexpr double kExact = 9007199254740992.0;  // 2^53
  if (!std::isfinite(x)) return nullptr;
  if (x == std::floor(x) && std::abs(x) <= kExact) return static_cast<int64_t>(x);
  return x;
}

template <class T>
Json object_of(const T& x);
template <class T>
Json value_of(const std::optional<T>& x);
template <class T>
Json value_of(const std::vector<T>& x);
template <class T>
Json value_of(const std::map<std::string, T>& x);

Json value_of(const std::string& x) { return x; }
Json value_of(bool x) { return x; }
Json value_of(const std::integral auto& x) { return x; }
Json value_of(double x) { return std::isfinite(x) ? Json(x) : Json(nullptr); }
Json value_of(const Number& x) { return x ? value_of(*x) : Json(nullptr); }
Json value_of(const Interval& x) { return Json::array({value_of(x.low), value_of(x.high)}); }
Json value_of(Outcome x) { return std::string(name_of(x)); }
Json value_of(const ParamValue& x) {
  if (const auto* number = std::get_if<double>(&x)) return counted(*number);
  if (const auto* flag = std::get_if<bool>(&x)) return *flag;
  return std::get<std::string>(x);
}
template <class T>
requires std::is_class_v<T> Json value_of(const T& x) { return object_of(x); }
template <class T>
Json value_of(const std::optional<T>& x) {
  return x ? value_of(*x) : Json(nullptr);
}
template <class T>
Json value_of(const std::vector<T>& x) {
  Json j = Json::array();
  for (const T& item : x) j.push_back(value_of(item));
  return j;
}
template <class T>
Json value_of(const std::map<std::string, T>& x) {
  Json j = Json::object();
  for (const auto& [key, item] : x) j[key] = value_of(item);
  return j;
}

class Writer {
 public:
  explicit Writer(Json& json) : json_(json) {}

  template <class T>
  void operator()(const char* name, const T& x) {
    json_[name] = value_of(x);
  }
  template <class T>
  void extra(const char* name, const T& x) {
    json_[name] = value_of(x);
  }
  void nullable(const char* name, const std::string& x) {
    json_[name] = x.empty() ? Json(nullptr) : Json(x);
  }
  void count(const char* name, double x) { json_[name] = counted(x); }
  void count(const char* name, const Number& x) { json_[name] = x ? counted(*x) : Json(nullptr); }
  void count(const char* name, const std::map<std::string, double>& x) {
    Json j = Json::object();
    for (const auto& [key, item] : x) j[key] = counted(item);
    json_[name] = std::move(j);
  }
  void interval(const char* name, const Interval& x, const Number& of) {
    json_[name] = of ? value_of(x) : Json(nullptr);
  }
  void object(const char* name, auto&& body) {
    Json j = Json::object();
    Writer inner(j);
    body(inner);
    json_[name] = std::move(j);
  }

 private:
  Json& json_;
};

template <class T>
Json object_of(const T& x) {
  Json j = Json::object();
  Writer writer(j);
  fields(writer, x);
  return j;
}

Json benchmark_of(const BenchmarkEntry& x) {
  const bool aggregate = x.run_type == "aggregate";
  Json j = {{"name", x.name},
            {"family_index", x.family_index},
            {"per_family_instance_index", x.per_family_instance_index},
            {"run_name", x.run_name},
            {"run_type", x.run_type},
            {"repetitions", x.repetitions}};
  if (!aggregate) j["repetition_index"] = x.repetition_index;
  j["threads"] = x.threads;
  if (aggregate) {
    j["aggregate_name"] = x.aggregate_name;
    j["aggregate_unit"] = x.aggregate_unit;
  }
  j["iterations"] = x.iterations;
  j["real_time"] = value_of(x.real_time);
  j["cpu_time"] = value_of(x.cpu_time);
  j["time_unit"] = x.time_unit;
  if (!x.label.empty()) j["label"] = x.label;
  for (const auto& [name, value] : x.counters) j[name] = value_of(value);
  return j;
}

Json context_of(const BenchmarkContext& x) {
  Json caches = Json::array();
  for (const BenchmarkCache& c : x.caches)
    caches.push_back(
        {{"type", c.type}, {"level", c.level}, {"size", c.size}, {"num_sharing", c.num_sharing}});
  return {{"date", x.date},
          {"host_name", x.host_name},
          {"executable", x.executable},
          {"num_cpus", x.num_cpus},
          {"mhz_per_cpu", x.mhz_per_cpu},
          {"cpu_scaling_enabled", x.cpu_scaling_enabled},
          {"caches", std::move(caches)},
          {"load_avg", value_of(x.load_avg)},
          {"library_build_type", x.library_build_type}};
}

// What is no UTF-8 (a host's odd variable, a path) is replaced, never a reason to lose the report.
std::string one_line(const Json& j) {
  return j.dump(-1, ' ', false, Json::error_handler_t::replace);
}

// Indented, but an array of plain values stays on its line: samples come by the thousand.
void print(const Json& j, size_t indent, std::string& out) {
  const auto plain = [](const Json& item) { return !item.is_structured(); };
  if (!j.is_structured() || j.empty() || (j.is_array() && std::all_of(j.begin(), j.end(), plain))) {
    out += one_line(j);
    return;
  }
  out += j.is_object() ? '{' : '[';
  bool first = true;
  for (const auto& item : j.items()) {
    out += first ? "\n" : ",\n";
    first = false;
    out.append(indent + 2, ' ');
    if (j.is_object()) out += one_line(item.key()) + ": ";
    print(item.value(), indent + 2, out);
  }
  out += '\n';
  out.append(indent, ' ');
  out += j.is_object() ? '}' : ']';
}

Json schema_of() { return {{"name", kSchemaName}, {"version", kSchemaVersion}}; }

std::string write(const Report& report, Json context, Json benchmarks) {
  Json j = Json::object();
  j["schema"] = schema_of();
  Writer writer(j);
  fields(writer, report);
  j["context"] = std::move(context);
  j["benchmarks"] = std::move(benchmarks);
  std::string out;
  print(j, 0, out);
  return out + "\n";
}

std::string line(const char* type, Json body) {
  Json j = {{"type", type}};
  j.update(body);
  return one_line(j) + "\n";
}

}  // namespace

std::string to_json(const Report& report) { return write(report, Json::object(), Json::array()); }

std::string to_json(const Report& report, const BenchmarkContext& context,
                    std::span<const BenchmarkEntry> benchmarks) {
  Json list = Json::array();
  for (const BenchmarkEntry& entry : benchmarks) list.push_back(benchmark_of(entry));
  return write(report, context_of(context), std::move(list));
}

std::string journal_run(const Report& report) {
  return line("run", {{"schema", schema_of()},
                      {"run", object_of(report.run)},
                      {"environment", object_of(report.environment)}});
}

std::string journal_case(const CaseResult& result) {
  return line("case", {{"case", object_of(result)}});
}

std::string journal_training(const TrainingRun& run) {
  return line("training", {{"training", object_of(run)}});
}

std::string journal_end(const Report& report) {
  return line("end", {{"complete", report.run.complete},
                      {"finished", report.run.finished},
                      {"phases_s", object_of(report.phases_s)},
                      {"verdict", object_of(report.verdict)}});
}

}  // namespace bench::schema
