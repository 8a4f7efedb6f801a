#pragma once
// NCCL, in a module of its own that is opened where it is wanted: the program itself needs no CUDA
// library. Includes nothing of NCCL.

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "parallel/comm/communicator.h"

namespace bench {

class NcclModule {
 public:
  virtual ~NcclModule() = default;

  // Of the library found at run time: "2.28.9".
  virtual std::string version() const = 0;

  // Why NCCL cannot be used with this device from this process; empty where it can.
  virtual std::string why_not(const Device& device) const = 0;

  // The ranks of `host`, for buffers in the memory of `device`, which must outlive the
  // communicator. Every rank needs a GPU of its own. Collective over host. Throws EnvironmentError
  // with NCCL's words, also when not all ranks have come after deadline_s.
  virtual std::unique_ptr<Communicator> create(Communicator& host, Device& device,
                                               double deadline_s) = 0;

  // Whether NCCL is to tell what it runs, and what it told since the last call: how often which
  // "AllReduce.RING.LL128". Nothing where the user has a profiler plugin of his own.
  virtual void record(bool on) = 0;
  virtual std::map<std::string, int> ran() = 0;

  // How long NCCL thinks that the collectives which `enqueue` gives it take. None of them runs.
  // Nothing where it cannot say; not for messages between two ranks.
  virtual std::optional<double> estimated_s(const std::function<void()>& enqueue) = 0;
};

// Opens <module_dir>/bench_comm_nccl.so. Throws EnvironmentError with the reason and the remedy.
std::unique_ptr<NcclModule> open_nccl_module(const std::filesystem::path& module_dir);

// The module's one symbol, of this type.
inline constexpr const char* kNcclEntryName = "bench_comm_nccl_create";
using NcclEntry = NcclModule* (*)();

}  // namespace bench
