#pragma once
// All ranks of this launch. Where MPI is wanted it comes from a module that is opened then; the
// program itself does not link MPI.

#include <filesystem>
#include <memory>
#include <string>

#include "parallel/comm/communicator.h"

namespace bench {

class World {
 public:
  virtual ~World() = default;
  virtual int rank() const = 0;
  virtual int size() const = 0;
  virtual int local_rank() const = 0;  // among the ranks of this host
  virtual int local_size() const = 0;
  virtual Communicator& comm() = 0;  // all ranks

  // Ranks 0 … ranks-1; nullptr on the others. Collective over the world.
  virtual std::unique_ptr<Communicator> group(int ranks) = 0;

  // A rank outside of the group that measures: sleeps, leaving the core alone, until rank 0
  // releases it. Returns release's code.
  virtual int park() = 0;
  // Rank 0: releases parked ranks [first, last) with a code: 0 = go on, else the exit code to end
  // with.
  virtual void release(int first, int last, int code) = 0;

  virtual std::string library() const = 0;    // "Open MPI 4.1.4", or "" without MPI
  virtual void abort(int code) noexcept = 0;  // ends all ranks; does not return
};

std::unique_ptr<World> make_single_world();

// Opens <module_dir>/bench_world_mpi.so and initialises MPI. Throws EnvironmentError with the
// reason and the remedy.
std::unique_ptr<World> open_mpi_world(const std::filesystem::path& module_dir);

// The module's one symbol, of this type.
inline constexpr const char* kWorldEntryName = "bench_world_create";
using WorldEntry = World* (*)();

}  // namespace bench
