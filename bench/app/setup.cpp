#include "bench/app/setup.h"

#include <fmt/format.h>

#include <cstdlib>
#include <optional>
#include <sstream>
#include <utility>

#include "bench/base/status.h"
#include "bench/world/near_gpu.h"

namespace bench::app {
using runner::OptionSet;
using runner::Suite;

namespace {

// Thread pools inside plugins read these when they are loaded. What the user has set stays.
void announce_threads(const Binding& binding) {
  setenv("OMP_NUM_THREADS", std::to_string(binding.threads).c_str(), /*overwrite=*/0);
  // Ranks that share cores must not spin for each other's turn.
  if (binding.oversubscribed) setenv("OMP_WAIT_POLICY", "passive", 0);
}

std::vector<std::filesystem::path> split_path(const char* list) {
  std::vector<std::filesystem::path> folders;
  std::istringstream in(list != nullptr ? list : "");
  for (std::string folder; std::getline(in, folder, ':');)
    if (!folder.empty()) folders.emplace_back(folder);
  return folders;
}

// Options that are variables of NCCL's.
constexpr std::pair<const char*, const char*> kNcclVariables[] = {{"nccl-algo", "NCCL_ALGO"},
                                                                  {"nccl-proto", "NCCL_PROTO"}};

}  // namespace

Place take_place(const OptionSet& options) {
  Place place;
  place.launch = detect_launch();
  const char* const visible = std::getenv("CUDA_VISIBLE_DEVICES");
  const auto near_gpus =
      options.text("device", "auto") == "cpu"
          ? std::vector<std::vector<int>>()
          : cpus_near_gpus("/", visible ? std::optional<std::string>(visible) : std::nullopt);
  place.binding =
      bind_process(parse_bind_mode(options.text("bind", "auto")), place.launch, near_gpus);
  announce_threads(place.binding);
  return place;
}

std::unique_ptr<World> open_world(const OptionSet& options, const Launch& launch,
                                  const runner::Paths& paths) {
  const std::string mode = options.text("mpi", "auto");
  if (mode == "off" && launch.present && launch.size > 1)
    throw UsageError(
        fmt::format("--mpi off under {} with {} ranks: every rank would run alone and overwrite "
                    "the others' report; "
                    "drop --mpi off or start one process",
                    launch.name, launch.size));
  if (mode == "on" || (mode == "auto" && launch.present)) return open_mpi_world(paths.modules);
  return make_single_world();
}

std::unique_ptr<runner::DeviceComms> choose_comms(const OptionSet& options, World& world,
                                                  Device& device, const runner::Paths& paths) {
  const bool on_cpu = device.info().kind == DeviceKind::cpu;
  const CommChoice asked = parse_comm_choice(options.text("comm", "auto"));
  const bool for_cpus = asked == CommChoice::mpi || asked == CommChoice::shared;
  if (asked != CommChoice::automatic && for_cpus != on_cpu)
    throw AgreedError(
        ExitCode::kUsage,
        fmt::format("--comm {} is for ranks on {}, and these run on {}", options.text("comm", ""),
                    for_cpus ? "CPUs" : "GPUs", on_cpu ? "the CPU" : "GPUs"));
  for (const char* name : {"nccl-algo", "nccl-proto"})
    if (options.has(name) && on_cpu)
      throw AgreedError(ExitCode::kUsage,
                        fmt::format("--{} is for ranks on GPUs, and these run on the CPU", name));
  // NCCL reads them when a communicator is made; the report tells them among the variables.
  for (const auto& [option, variable] : kNcclVariables)
    if (options.has(option)) setenv(variable, options.text(option, "").c_str(), /*overwrite=*/1);
  auto comms = std::make_unique<runner::DeviceComms>(
      world.comm(), device,
      runner::DeviceComms::Settings{.asked = asked,
                                    .module_dir = paths.modules,
                                    .deadline_s = options.real("case-timeout", 300)});
  for (const auto& [option, variable] : kNcclVariables)
    if (options.has(option) && comms->nccl_version().empty())
      throw AgreedError(ExitCode::kUsage,
                        fmt::format("--{} has no effect here: ranks communicate over {}", option,
                                    comms->label(world.size())));
  return comms;
}

runner::PluginSet load_plugins(const OptionSet& options, const runner::Paths& paths,
                               const std::string& device, Log log, Tracer& tracer) {
  std::vector<std::filesystem::path> folders;
  for (const std::string& folder : options.list("plugin-dir")) folders.emplace_back(folder);
  for (auto& folder : split_path(std::getenv("BENCH_PLUGIN_PATH")))
    folders.push_back(std::move(folder));
  folders.push_back(paths.plugins);
  return runner::PluginSet(options.list("plugin"), folders, device, log, tracer);
}

std::vector<Suite> load_suites(const OptionSet& options, const runner::Paths& paths) {
  std::vector<Suite> suites;
  std::istringstream names(options.text("suite", "scaling"));
  for (std::string name; std::getline(names, name, ',');)
    suites.push_back(runner::load_suite(name, paths.data / "suites"));
  return suites;
}

std::string suites_name(const std::vector<Suite>& suites) {
  std::string name;
  for (const Suite& s : suites) name += (name.empty() ? "" : "+") + s.name;
  return name;
}

OptionSet merged_options(const OptionSet& options, const std::vector<Suite>& suites) {
  OptionSet merged = options;
  for (const Suite& s : suites) merged.fill_from(s.options);
  return merged;
}

runner::PlanInputs plan_inputs(const OptionSet& options, const Device& device, const World& world,
                               int ranks_per_host) {
  const DeviceInfo& info = device.info();
  return {.options = options,
          .device = name_of(info.kind),
          .world_size = world.size(),
          .ranks_per_host = ranks_per_host,
          .threads = info.threads,
          .last_level_cache_bytes = info.last_level_cache_bytes,
          .memory_bytes = info.memory_bytes};
}

}  // namespace bench::app
