#include "bench/world/launcher.h"

#include <gtest/gtest.h>

#include <map>

namespace bench {
namespace {

Launch launch_with(const std::map<std::string, std::string>& variables) {
  return detect_launch([&](const char* name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    if (found == variables.end()) return {};
    return found->second;
  });
}

std::map<std::string, std::string> open_mpi() {
  return {{"OMPI_COMM_WORLD_RANK", "3"},
          {"OMPI_COMM_WORLD_SIZE", "4"},
          {"OMPI_COMM_WORLD_LOCAL_RANK", "1"},
          {"OMPI_COMM_WORLD_LOCAL_SIZE", "2"}};
}

std::map<std::string, std::string> slurm(const std::string& per_node, const std::string& node) {
  return {{"SLURM_PROCID", "5"},
          {"SLURM_STEP_NUM_TASKS", "11"},
          {"SLURM_LOCALID", "1"},
          {"SLURM_NODEID", node},
          {"SLURM_STEP_TASKS_PER_NODE", per_node}};
}

TEST(Launch, NothingWithoutALauncher) {
  const Launch l = launch_with({{"HOME", "/"}});
  EXPECT_FALSE(l.present);
  EXPECT_EQ(l.size, 1);
  EXPECT_EQ(l.local_size, 1);
}

TEST(Launch, OpenMpi) {
  const Launch l = launch_with(open_mpi());
  EXPECT_TRUE(l.present);
  EXPECT_EQ(l.name, "Open MPI");
  EXPECT_EQ(l.rank, 3);
  EXPECT_EQ(l.size, 4);
  EXPECT_EQ(l.local_rank, 1);
  EXPECT_EQ(l.local_size, 2);
  EXPECT_FALSE(l.user_bound);
}

TEST(Launch, OpenMpiInsideASlurmAllocationIsOpenMpi) {
  auto variables = slurm("4", "0");
  variables.merge(open_mpi());
  EXPECT_EQ(launch_with(variables).name, "Open MPI");
}

// What mpirun 4.1 exports for --bind-to, --cpu-set, --cpu-list and --rankfile.
TEST(Launch, OpenMpiBoundByTheUser) {
  for (const char* name : {"OMPI_MCA_hwloc_base_binding_policy", "OMPI_MCA_hwloc_base_cpu_set",
                           "OMPI_MCA_hwloc_base_cpu_list", "OMPI_MCA_orte_rankfile"}) {
    auto variables = open_mpi();
    variables[name] = "0";
    EXPECT_TRUE(launch_with(variables).user_bound) << name;
  }
  auto unbound = open_mpi();
  unbound["OMPI_MCA_hwloc_base_binding_policy"] = "none";
  EXPECT_FALSE(launch_with(unbound).user_bound);
}

TEST(Launch, SlurmCountsTheTasksOfItsOwnNode) {
  EXPECT_EQ(launch_with(slurm("4", "7")).local_size, 4);
  EXPECT_EQ(launch_with(slurm("4(x2),3", "0")).local_size, 4);
  EXPECT_EQ(launch_with(slurm("4(x2),3", "1")).local_size, 4);
  EXPECT_EQ(launch_with(slurm("4(x2),3", "2")).local_size, 3);
  EXPECT_EQ(launch_with(slurm("2,4,5", "1")).local_size, 4);
  const Launch l = launch_with(slurm("4(x2),3", "1"));
  EXPECT_EQ(l.name, "Slurm");
  EXPECT_EQ(l.rank, 5);
  EXPECT_EQ(l.size, 11);
  EXPECT_EQ(l.local_rank, 1);
}

// A batch script's own shell has a SLURM_PROCID but no step of several tasks.
TEST(Launch, ABatchScriptIsNoLauncher) {
  EXPECT_FALSE(launch_with({{"SLURM_PROCID", "0"}, {"SLURM_NTASKS", "64"}}).present);
}

TEST(Launch, PmiOfHydra) {
  const Launch l = launch_with(
      {{"PMI_RANK", "1"}, {"PMI_SIZE", "2"}, {"MPI_LOCALRANKID", "1"}, {"MPI_LOCALNRANKS", "2"}});
  EXPECT_EQ(l.name, "PMI");
  EXPECT_EQ(l.rank, 1);
  EXPECT_EQ(l.local_size, 2);
}

TEST(Launch, NonsenseNeverMakesSizesBelowOne) {
  const Launch l = launch_with({{"OMPI_COMM_WORLD_RANK", "x"},
                                {"OMPI_COMM_WORLD_SIZE", "0"},
                                {"OMPI_COMM_WORLD_LOCAL_SIZE", "0"}});
  EXPECT_EQ(l.rank, 0);
  EXPECT_EQ(l.size, 1);
  EXPECT_EQ(l.local_size, 1);
}

}  // namespace
}  // namespace bench
