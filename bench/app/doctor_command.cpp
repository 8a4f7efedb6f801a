#include <dlfcn.h>
#include <fmt/format.h>

#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <thread>

#include "bench/app/choose_device.h"
#include "bench/app/commands.h"
#include "bench/base/status.h"
#include "bench/device/cpu/host_facts.h"
#include "parallel/comm/nccl/nccl_module.h"
#include "parallel/comm/strings.h"

namespace bench::app {
namespace {
using nlohmann::ordered_json;

// One thing looked at on one rank. status: ok, warning (it works, numbers suffer) or missing.
struct Finding {
  std::string name, status, value, advice;
};

std::string first_line(const char* path) {
  std::ifstream in(path);
  std::string line;
  std::getline(in, line);
  return line;
}

bool can_open(const char* library) {
  void* handle = dlopen(library, RTLD_LAZY | RTLD_LOCAL);
  if (handle != nullptr) dlclose(handle);
  return handle != nullptr;
}

void look_at_host(const HostFacts& host, const Binding& binding, std::vector<Finding>& out) {
  out.push_back({"cpu", "ok", host.cpu_model, ""});
  out.push_back({"cores", "ok", std::to_string(host.cores_online), ""});
  out.push_back({"memory", "ok", fmt::format("{:.1f} GB", host.memory_bytes / 1e9), ""});
  out.push_back({"binding", binding.oversubscribed ? "warning" : "ok",
                 fmt::format("{} thread(s) of this rank", binding.threads),
                 binding.oversubscribed
                     ? "more ranks than cores: start fewer ranks for comparable numbers"
                     : ""});
  const bool slow = host.governor == "powersave" || host.governor == "conservative";
  out.push_back({"governor", slow ? "warning" : "ok", host.governor,
                 slow ? "the clock follows the load late: set the performance governor" : ""});
  const bool limited = host.cpu_quota && *host.cpu_quota < host.cores_online;
  out.push_back({"cpu quota", limited ? "warning" : "ok",
                 limited ? fmt::format("{:.2f} CPUs", *host.cpu_quota) : "none",
                 limited
                     ? "the control group takes CPU time away: raise the quota or start fewer ranks"
                     : ""});
  const bool busy = host.load_1min > 0.5 * host.cores_online;
  out.push_back({"load", busy ? "warning" : "ok", fmt::format("{:.2f}", host.load_1min),
                 busy ? "something else is running here: numbers will be noisy" : ""});
  const std::string huge = first_line("/sys/kernel/mm/transparent_hugepage/enabled");
  const bool no_huge = huge.find("[never]") != std::string::npos || huge.empty();
  out.push_back({"transparent huge pages", no_huge ? "warning" : "ok",
                 huge.empty() ? "unknown" : huge,
                 no_huge ? "large tensors pay for more page faults: set madvise or always" : ""});
}

void look_at_libraries(const World& world, const Launch& launch, std::vector<Finding>& out) {
  out.push_back({"launcher", "ok", launch.present ? launch.name : "none (one rank)", ""});
  out.push_back({"MPI", world.library().empty() ? "missing" : "ok",
                 world.library().empty() ? "not in use" : world.library(),
                 world.library().empty() ? "start with mpirun, or give --mpi on, to use it" : ""});
}

void look_at_gpu(const Place& place, const runner::Paths& paths, std::vector<Finding>& out) {
  const bool driver = can_open("libcuda.so.1");
  std::string version = driver ? "libcuda.so.1" : "no libcuda.so.1";
  Finding gpu{"GPU", "missing", "", "cases run on the CPU"},
      clocks{"GPU clocks", "missing", "", ""};
  try {
    const auto found = open_rank_gpu(place, paths);
    const DeviceInfo& info = found->info();
    const GpuFacts& facts = found->facts();
    version = facts.driver;
    gpu = {
        "GPU", "ok",
        fmt::format("{}, {:.1f} GB, compute capability {}", info.name,
                    static_cast<double>(facts.total_memory_bytes) / 1e9, facts.compute_capability),
        ""};
    const bool seen = facts.no_health_why.empty();
    clocks = {"GPU clocks", seen ? "ok" : "warning", seen ? "NVML" : facts.no_health_why,
              seen ? "" : "throttling would not be noticed"};
  } catch (const EnvironmentError& e) {
    gpu.value = e.what();
    clocks.value = "no GPU";
  }
  out.push_back(
      {"CUDA driver", driver ? "ok" : "missing", version,
       driver ? ""
              : "no GPU can be used on this host: install NVIDIA's driver where there is one"});
  out.push_back(std::move(gpu));
  out.push_back(std::move(clocks));
}

void look_at_nccl(const runner::Paths& paths, std::vector<Finding>& out) {
  Finding nccl{"NCCL", "missing", "", "ranks on GPUs communicate through host memory"};
  try {
    nccl = {"NCCL", "ok", open_nccl_module(paths.modules)->version(), ""};
  } catch (const EnvironmentError& e) {
    nccl.value = e.what();
  }
  out.push_back(std::move(nccl));
}

// All flavours: one for GPUs may lack a library of CUDA's.
void look_at_plugins(Log log, const runner::Paths& paths, std::vector<Finding>& out) {
  NullTracer tracer;
  const runner::PluginSet plugins = load_plugins({}, paths, "", log, tracer);
  std::string names, broken;
  for (const auto& p : plugins.all())
    names += (names.empty() ? "" : ", ") + p->id() + "." + p->device();
  for (const auto& b : plugins.broken()) broken += (broken.empty() ? "" : "; ") + b.reason;
  out.push_back({"plugins", broken.empty() ? "ok" : "warning", names, broken});
}

std::vector<Finding> look(World& world, const Place& place, const runner::Paths& paths) {
  std::vector<Finding> found;
  look_at_host(read_host_facts(), place.binding, found);
  look_at_libraries(world, place.launch, found);
  look_at_gpu(place, paths, found);
  look_at_nccl(paths, found);
  look_at_plugins(Log(world.rank(), LogLevel::kError), paths, found);
  return found;
}

ordered_json to_wire(const std::vector<Finding>& findings) {
  ordered_json list = ordered_json::array();
  for (const Finding& f : findings)
    list.push_back(
        {{"name", f.name}, {"status", f.status}, {"value", f.value}, {"advice", f.advice}});
  return list;
}

// Rank 0's findings, each with the ranks that found something else.
ordered_json compare_ranks(const std::vector<std::string>& all) {
  ordered_json checks = ordered_json::parse(all.front());
  for (auto& check : checks) check["differs"] = ordered_json::array();
  for (size_t rank = 1; rank < all.size(); ++rank) {
    const ordered_json theirs = ordered_json::parse(all[rank]);
    for (size_t i = 0; i < checks.size() && i < theirs.size(); ++i)
      if (theirs[i]["value"] != checks[i]["value"] && checks[i]["name"] != "load")
        checks[i]["differs"].push_back(
            {{"rank", rank}, {"value", theirs[i]["value"]}, {"status", theirs[i]["status"]}});
  }
  return checks;
}

std::string text_of(const ordered_json& result) {
  std::string text = fmt::format("{} rank(s) on {} host(s)\n", result["ranks"].get<int>(),
                                 result["hosts"].get<int>());
  for (const auto& c : result["checks"]) {
    text += fmt::format("  {:<8} {:<24} {}\n", c["status"].get<std::string>(),
                        c["name"].get<std::string>(), c["value"].get<std::string>());
    if (!c["advice"].get<std::string>().empty())
      text += fmt::format("  {:<33} {}\n", "", c["advice"].get<std::string>());
    for (const auto& d : c["differs"])
      text += fmt::format("  {:<33} rank {} differs: {}\n", "", d["rank"].get<int>(),
                          d["value"].get<std::string>());
  }
  return text;
}

}  // namespace

ExitCode doctor_command(const runner::CommandLine& line) {
  const runner::Paths paths = runner::find_paths();
  const Place place = take_place(line.options);
  const auto world = open_world(line.options, place.launch, paths);
  const std::vector<std::string> all =
      gather_strings(world->comm(), to_wire(look(*world, place, paths)).dump());
  const runner::HostLayout hosts = runner::host_layout(*world);
  if (world->rank() != 0) return ExitCode::kDone;
  const ordered_json result = {
      {"ranks", world->size()}, {"hosts", hosts.hosts}, {"checks", compare_ranks(all)}};
  fmt::print("{}", line.json ? result.dump(2) + "\n" : text_of(result));
  return ExitCode::kDone;
}

}  // namespace bench::app
