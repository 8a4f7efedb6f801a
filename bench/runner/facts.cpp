#include "bench/runner/facts.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>
#include <ctime>
#include <map>
#include <nlohmann/json.hpp>
#include <random>

#include "bench/device/cpu/host_facts.h"
#include "parallel/comm/strings.h"

namespace bench::runner {
namespace {
using nlohmann::json;

// Only variables that change what is measured and hold nothing private.
constexpr const char* kAllowedVariables[] = {"OMP_NUM_THREADS",
                                             "OMP_PROC_BIND",
                                             "OMP_PLACES",
                                             "OMP_WAIT_POLICY",
                                             "GOMP_SPINCOUNT",
                                             "DNNL_MAX_CPU_ISA",
                                             "ONEDNN_MAX_CPU_ISA",
                                             "MALLOC_MMAP_THRESHOLD_",
                                             "OMPI_MCA_btl",
                                             "OMPI_MCA_pml",
                                             "OMPI_MCA_coll_tuned_use_dynamic_rules",
                                             "OMPI_MCA_coll_tuned_allreduce_algorithm",
                                             "OMPI_MCA_mpi_yield_when_idle",
                                             "NCCL_ALGO",
                                             "NCCL_PROTO",
                                             "NCCL_P2P_DISABLE",
                                             "NCCL_SHM_DISABLE",
                                             "NCCL_NVLS_ENABLE",
                                             "NCCL_IB_DISABLE",
                                             "NCCL_MIN_CTAS",
                                             "NCCL_MAX_CTAS",
                                             "NCCL_COMM_BLOCKING",
                                             "CUDA_VISIBLE_DEVICES",
                                             "CUDA_DEVICE_MAX_CONNECTIONS"};

std::map<std::string, std::string> allowed_variables() {
  std::map<std::string, std::string> set;
  for (const char* name : kAllowedVariables)
    if (const char* value = std::getenv(name)) set[name] = value;
  return set;
}

// What does not change of a rank's GPU; empty without one.
json gpu_facts(const DeviceInfo& device, const GpuDevice* gpu) {
  if (gpu == nullptr) return json::object();
  const GpuFacts& f = gpu->facts();
  json facts = {{"memory_bytes", static_cast<double>(f.total_memory_bytes)},
                {"last_level_cache_bytes", static_cast<double>(device.last_level_cache_bytes)},
                {"compute_capability", f.compute_capability},
                {"multiprocessors", static_cast<double>(f.multiprocessors)},
                {"sm_clock_max_mhz", f.most_sm_clock_mhz},
                {"memory_clock_max_mhz", f.most_memory_clock_mhz},
                {"pci_bus_id", f.pci_bus_id},
                {"choice", f.choice}};
  if (f.numa_node >= 0) facts["numa_node"] = static_cast<double>(f.numa_node);
  return facts;
}

schema::Params params_of(const json& facts) {
  schema::Params params;
  for (const auto& [key, value] : facts.items())
    params[key] = value.is_string() ? schema::ParamValue(value.get<std::string>())
                                    : schema::ParamValue(value.get<double>());
  return params;
}

// What a rank tells the others about itself; JSON only as a wire format here.
json own_facts(const World& world, const DeviceInfo& device, const GpuDevice* gpu,
               const Binding& binding) {
  const HostFacts host = read_host_facts();
  return {{"host", host.hostname},
          {"local_rank", world.local_rank()},
          {"pid", static_cast<int64_t>(getpid())},
          {"device_kind", name_of(device.kind)},
          {"device_name", device.name},
          {"device_index", device.index},
          {"uuid", device.uuid},
          {"device_facts", gpu_facts(device, gpu)},
          {"launcher_mask", binding.launcher_mask},
          {"mask", binding.final_mask},
          {"threads", device.threads},
          {"cpu", host.cpu_model},
          {"cores", host.cores_online},
          {"memory", host.memory_bytes},
          {"kernel", host.kernel},
          {"governor", host.governor},
          {"load", host.load_1min},
          {"quota", host.cpu_quota.value_or(-1.0)},
          {"oversubscribed", binding.oversubscribed}};
}

schema::RankFact rank_fact(int rank, const json& j) {
  return {.rank = rank,
          .host = j["host"],
          .local_rank = j["local_rank"],
          .pid = j["pid"],
          .device = {.kind = j["device_kind"],
                     .name = j["device_name"],
                     .index = j["device_index"],
                     .uuid = j["uuid"],
                     .facts = params_of(j["device_facts"])},
          .launcher_affinity = j["launcher_mask"],
          .affinity = j["mask"],
          .threads = j["threads"]};
}

schema::HostFact host_fact(const json& j) {
  schema::HostFact fact{.host = j["host"],
                        .cpu = j["cpu"],
                        .cores = j["cores"],
                        .memory_bytes = j["memory"],
                        .kernel = j["kernel"],
                        .governor = j["governor"],
                        .load_1min = j["load"].get<double>(),
                        .steal_fraction = {},
                        .cpu_quota = {}};
  if (j["quota"].get<double>() > 0) fact.cpu_quota = j["quota"].get<double>();
  return fact;
}

}  // namespace

schema::Environment gather_environment(World& world, const DeviceInfo& device, const GpuDevice* gpu,
                                       const Launch& launch, const Binding& binding) {
  schema::Environment e;
  const std::vector<std::string> all =
      gather_strings(world.comm(), own_facts(world, device, gpu, binding).dump());
  std::map<std::string, schema::HostFact> hosts;
  for (size_t rank = 0; rank < all.size(); ++rank) {
    const json facts = json::parse(all[rank]);
    e.ranks.push_back(rank_fact(static_cast<int>(rank), facts));
    hosts.try_emplace(facts["host"], host_fact(facts));
    e.oversubscribed |= facts["oversubscribed"].get<bool>();
  }
  for (auto& [name, fact] : hosts) e.hosts.push_back(std::move(fact));
  const std::string library = world.library();
  const size_t space = library.rfind(' ');
  e.mpi_library = library.substr(0, space);
  if (space != std::string::npos) e.mpi_version = library.substr(space + 1);
  if (gpu != nullptr)
    e.cuda = fmt::format("runtime {}, driver {}", gpu->facts().runtime, gpu->facts().driver);
  e.launcher = launch.present ? launch.name : "none";
  e.variables = allowed_variables();
  return e;
}

HostLayout host_layout(World& world) {
  std::map<std::string, int> ranks;
  for (const std::string& host : gather_strings(world.comm(), read_host_facts().hostname))
    ++ranks[host];
  HostLayout layout{.hosts = static_cast<int>(ranks.size()), .least_ranks_per_host = world.size()};
  for (const auto& [host, n] : ranks)
    layout.least_ranks_per_host = std::min(layout.least_ranks_per_host, n);
  return layout;
}

std::string utc_now() {
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::time(nullptr)));
}

std::string random_id() {
  std::random_device device;
  return fmt::format("{:08x}{:08x}", device(), device());
}

}  // namespace bench::runner
