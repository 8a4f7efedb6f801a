#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>

#include "bench/app/choose_device.h"
#include "bench/app/commands.h"
#include "bench/app/setup.h"

namespace bench::app {
namespace {
using nlohmann::ordered_json;

// All flavours; those for a GPU cannot be used where none can.
ordered_json list_plugins(const runner::PluginSet& plugins, const std::string& why_no_gpu) {
  ordered_json list = ordered_json::array();
  for (const auto& p : plugins.all()) {
    const bool usable = p->device() != name_of(DeviceKind::cuda) || why_no_gpu.empty();
    list.push_back({{"id", p->id()},
                    {"device", p->device()},
                    {"version", p->version()},
                    {"description", p->description()},
                    {"file", p->file().string()},
                    {"usable", usable},
                    {"reason", usable ? ordered_json() : ordered_json(why_no_gpu)}});
  }
  for (const runner::BrokenPlugin& b : plugins.broken())
    list.push_back({{"id", b.file.stem().stem().string()},
                    {"device", nullptr},
                    {"version", nullptr},
                    {"description", nullptr},
                    {"file", b.file.string()},
                    {"usable", false},
                    {"reason", b.reason}});
  return list;
}

ordered_json param_json(const schema::ParamValue& value) {
  if (const auto* number = std::get_if<double>(&value); number && *number == std::floor(*number))
    return static_cast<int64_t>(*number);
  return std::visit([](const auto& v) -> ordered_json { return v; }, value);
}

ordered_json list_case(const runner::PlannedCase& c) {
  ordered_json one = {{"name", c.spec.name},   {"plugin", c.plugin->id()},
                      {"suite", c.suite},      {"ranks", c.ranks},
                      {"dtype", c.spec.dtype}, {"runs_here", c.spec.unavailable.empty()},
                      {"reason", nullptr},     {"params", ordered_json::object()}};
  for (const auto& [key, value] : c.spec.params) one["params"][key] = param_json(value);
  if (!c.spec.unavailable.empty()) one["reason"] = c.spec.unavailable;
  return one;
}

ordered_json collect(const runner::CommandLine& line) {
  const runner::Paths paths = runner::find_paths();
  const Place place = take_place(line.options);
  const auto world = make_single_world();
  const ChosenDevice chosen = choose_device(line.options, place, paths);
  NullTracer tracer;
  runner::PluginSet plugins = load_plugins(line.options, paths, "", Log(), tracer);

  const bool looked_for_gpu = chosen.asked != name_of(DeviceKind::cpu);
  const std::string why_no_gpu =
      looked_for_gpu ? chosen.why_no_gpu : "no GPU was looked for: --device cpu";
  ordered_json all = {
      {"device", {{"asked", chosen.asked}, {"ran", chosen.ran}, {"reason", chosen.reason}}},
      {"plugins", list_plugins(plugins, why_no_gpu)},
      {"suites", ordered_json::array()},
      {"cases", ordered_json::array()}};
  std::vector<runner::Suite> suites;
  if (line.options.has("suite")) suites = load_suites(line.options, paths);
  for (const std::string& name : runner::suite_names(paths.data / "suites")) {
    const runner::Suite suite = runner::load_suite(name, paths.data / "suites");
    all["suites"].push_back({{"name", suite.name}, {"description", suite.description}});
    if (!line.options.has("suite")) suites.push_back(suite);
  }
  std::set<std::string> seen;  // suites share the ceilings
  const runner::PlanInputs inputs = plan_inputs(line.options, *chosen.device, *world, 1);
  const auto add_cases = [&](const runner::Suite& suite) {
    for (const runner::PlannedCase& c : runner::make_plan({suite}, plugins, inputs).cases)
      if (seen.insert(fmt::format("{}\n{}\n{}\n{}", c.suite, c.request.text(), c.spec.name,
                                  c.spec.mode))
              .second)
        all["cases"].push_back(list_case(c));
  };
  for (size_t i = 0; i < suites.size(); ++i) {
    try {
      add_cases(suites[i]);
    } catch (const UsageError& e) {
      if (line.options.has("suite")) throw;
      all["suites"][i]["needs"] = e.what();  // the suite's cases need options
    }
  }
  return all;
}

// Of the parameters those that tell a case from the others of its name and suite.
std::string differing_params(const ordered_json& c, const ordered_json& cases) {
  std::string text;
  for (const auto& [key, value] : c["params"].items()) {
    const auto differs = [&, &key = key, &value = value](const ordered_json& other) {
      return other["name"] == c["name"] && other["suite"] == c["suite"] &&
             other["params"].value(key, ordered_json()) != value;
    };
    if (std::any_of(cases.begin(), cases.end(), differs))
      text +=
          fmt::format("{}={} ", key, value.is_string() ? value.get<std::string>() : value.dump());
  }
  return text;
}

std::string text_of(const ordered_json& all) {
  std::string text =
      fmt::format("device\n  {:<14} {}\n\nplugins\n", all["device"]["ran"].get<std::string>(),
                  all["device"]["reason"].get<std::string>());
  for (const auto& p : all["plugins"])
    text += p["usable"]
                ? fmt::format("  {:<14} {:<5} {:<8} {}\n", p["id"].get<std::string>(),
                              p["device"].get<std::string>(), p["version"].get<std::string>(),
                              p["description"].get<std::string>())
                : fmt::format("  {:<14} {:<5} unusable: {}\n", p["id"].get<std::string>(),
                              p["device"].is_null() ? "" : p["device"].get<std::string>(),
                              p["reason"].get<std::string>());
  text += "\nsuites\n";
  for (const auto& s : all["suites"])
    text += fmt::format("  {:<14} {}{}\n", s["name"].get<std::string>(),
                        s["description"].get<std::string>(),
                        s.contains("needs") ? "; " + s["needs"].get<std::string>() : "");
  text += "\ncases (as one rank would run them)\n";
  for (const auto& c : all["cases"])
    text += fmt::format("  {:<14} {:<48} {:<4} {}{}\n", c["suite"].get<std::string>(),
                        c["name"].get<std::string>(), c["dtype"].get<std::string>(),
                        differing_params(c, all["cases"]),
                        c["runs_here"] ? "" : "cannot run here: " + c["reason"].get<std::string>());
  return text;
}

}  // namespace

ExitCode list_command(const runner::CommandLine& line) {
  const ordered_json all = collect(line);
  fmt::print("{}", line.json ? all.dump(2) + "\n" : text_of(all));
  return ExitCode::kDone;
}

}  // namespace bench::app
