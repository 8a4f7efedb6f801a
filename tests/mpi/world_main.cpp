// Ranks, hosts, groups, and waiting outside of a group.
#include <time.h>

#include <cstdlib>

#include "bench/world/launcher.h"
#include "tests/mpi/program.h"

namespace bench::mpi_tests {
namespace {

double cpu_seconds() {
  timespec t{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

double wall_seconds() {
  timespec t{};
  clock_gettime(CLOCK_MONOTONIC, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

void the_launcher_told_the_truth(World& world) {
  const Launch launch = detect_launch();
  if (!launch.present) return;  // started without mpirun: a world of one
  expect(launch.rank == world.rank() && launch.size == world.size(), "rank or size differ");
  expect(launch.local_rank == world.local_rank() && launch.local_size == world.local_size(),
         "local rank or size differ");
}

void the_library_is_named(World& world) {
  const std::string library = world.library();
  expect(library.find(' ') != std::string::npos && library.find('\n') == std::string::npos,
         "no library name and version: " + library);
}

// 1, 2, … ranks take turns, as on a scaling curve: the others are parked meanwhile.
void groups_grow_while_the_rest_is_parked(World& world) {
  for (int ranks = 1; ranks <= world.size(); ++ranks) {
    const auto group = world.group(ranks);
    expect((group != nullptr) == (world.rank() < ranks), "in a group that it should not be in");
    if (!group) {
      expect(world.park() == ranks, "released with another code");
      continue;
    }
    int32_t sum = 1;
    group->all_reduce(&sum, 1, ReduceOp::sum);
    expect(sum == ranks && group->size() == ranks && group->rank() == world.rank(),
           "a group of wrong ranks");
    if (world.rank() == 0) world.release(ranks, world.size(), ranks);
  }
}

// Rank 0 works for a while: whoever is parked must leave the core to it.
void parked_ranks_do_not_spin(World& world) {
  constexpr double kWork = 0.5;
  if (world.rank() == 0) {
    const double end = cpu_seconds() + kWork;
    while (cpu_seconds() < end) {
    }
    world.release(1, world.size(), 0);
    return;
  }
  const double cpu = cpu_seconds(), wall = wall_seconds();
  expect(world.park() == 0, "released with another code");
  const double used = cpu_seconds() - cpu, waited = wall_seconds() - wall;
  // A spinning rank uses all of it, or half when it shares a core; a sleeping one some hundredths.
  expect(waited < kWork / 2 || used < 0.25 * waited, "a parked rank used the core it waited on");
}

void run(World& world) {
  the_launcher_told_the_truth(world);
  the_library_is_named(world);
  groups_grow_while_the_rest_is_parked(world);
  parked_ranks_do_not_spin(world);
  world.comm().barrier(Stream{});
}

}  // namespace
}  // namespace bench::mpi_tests

int main(int argc, char** argv) {
  return bench::mpi_tests::run_program(argc, argv, bench::mpi_tests::run);
}
