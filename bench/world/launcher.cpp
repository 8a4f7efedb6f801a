#include "bench/world/launcher.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <sstream>

namespace bench {
namespace {

// The variables a launcher gives its ranks.
struct LauncherVariables {
  const char *name, *rank, *size, *local_rank, *local_size;
  std::array<const char*, 4> binding;  // set where the user asked for CPUs; nullptr: no more
};
constexpr std::array kLaunchers = {
    LauncherVariables{"Open MPI",
                      "OMPI_COMM_WORLD_RANK",
                      "OMPI_COMM_WORLD_SIZE",
                      "OMPI_COMM_WORLD_LOCAL_RANK",
                      "OMPI_COMM_WORLD_LOCAL_SIZE",
                      // --bind-to, --cpu-set, --cpu-list, --rankfile
                      {"OMPI_MCA_hwloc_base_binding_policy", "OMPI_MCA_hwloc_base_cpu_set",
                       "OMPI_MCA_hwloc_base_cpu_list", "OMPI_MCA_orte_rankfile"}},
    LauncherVariables{"Slurm",
                      "SLURM_PROCID",
                      "SLURM_STEP_NUM_TASKS",
                      "SLURM_LOCALID",
                      "SLURM_STEP_TASKS_PER_NODE",
                      {"SLURM_CPU_BIND_TYPE"}},
    LauncherVariables{
        "PMI", "PMI_RANK", "PMI_SIZE", "MPI_LOCALRANKID", "MPI_LOCALNRANKS", {"HYDRA_BINDING"}},
};

// Empty or no number: the default.
int number(const std::optional<std::string>& text, int otherwise) {
  if (!text || text->empty() || (*text)[0] < '0' || (*text)[0] > '9') return otherwise;
  return std::atoi(text->c_str());
}

// Slurm writes all nodes' counts in one list: "4(x2),3" is 4 on nodes 0 and 1, 3 on node 2. A plain
// number is the same on every node.
int count_on_node(const std::string& list, int node, int otherwise) {
  std::istringstream in(list);
  int count = otherwise;
  for (std::string part; std::getline(in, part, ',');) {
    count = number(part, otherwise);
    const size_t times = part.find("(x");
    node -= times == std::string::npos ? 1 : number(part.substr(times + 2), 1);
    if (node < 0) break;
  }
  return std::max(1, count);
}

bool asks_for_binding(const LauncherVariables& v, const EnvironmentLookup& lookup) {
  return std::any_of(v.binding.begin(), v.binding.end(), [&](const char* name) {
    const std::optional<std::string> value = name != nullptr ? lookup(name) : std::nullopt;
    return value && !value->empty() && *value != "none";
  });
}

}  // namespace

Launch detect_launch(const EnvironmentLookup& lookup) {
  for (const LauncherVariables& v : kLaunchers) {
    const std::optional<std::string> rank = lookup(v.rank), size = lookup(v.size);
    if (!rank || !size) continue;
    return {.present = true,
            .name = v.name,
            .rank = number(rank, 0),
            .size = std::max(1, number(size, 1)),
            .local_rank = number(lookup(v.local_rank), 0),
            .local_size = count_on_node(lookup(v.local_size).value_or(""),
                                        number(lookup("SLURM_NODEID"), 0), 1),
            .user_bound = asks_for_binding(v, lookup)};
  }
  return {};
}

Launch detect_launch() {
  return detect_launch([](const char* name) -> std::optional<std::string> {
    const char* value = std::getenv(name);
    if (value == nullptr) return {};
    return std::string(value);
  });
}

}  // namespace bench
