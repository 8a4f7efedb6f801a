#pragma once
// The communicators that cases are given: where their buffers are in the memory of GPUs, and where
// CPU ranks of one host have a faster way than MPI. The loop keeps agreeing over the host's.

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "parallel/comm/communicator.h"
#include "parallel/comm/decide.h"
#include "parallel/comm/nccl/nccl_module.h"

namespace bench::runner {

class DeviceComms {
 public:
  struct Settings {
    CommChoice asked = CommChoice::automatic;
    std::filesystem::path module_dir;
    double deadline_s = 300;  // for the ranks to find each other
  };

  // Decides for all ranks of the run, which run on devices of one kind. Collective over `world`.
  // `device` must outlive this. CPU ranks share memory where all can map it, and otherwise use the
  // host's. Throws AgreedError where what is asked for cannot be had.
  DeviceComms(Communicator& world, Device& device, Settings settings);

  // For the ranks of `host`, which must outlive it; null where the
  // host's own serves.
  // Collective over host.
  std::unique_ptr<Communicator> make(Communicator& host);

  // What cases on so many ranks communicate over: "nccl", "mpi staged through host memory",
  // "shared memory", "mpi", "self"; "" for one rank on a CPU.
  std::string label(int ranks) const;
  // "communicator nccl: every rank has a GPU of its own"; "" where there was nothing to decide.
  std::string note() const;
  // Of NCCL, where ranks communicate over it, else "".
  std::string nccl_version() const;
  // What NCCL says of one iteration of a case on so many ranks, which `enqueue` gives to the stream
  // and `synchronize` waits for. How often it ran what, in its own words, "AllReduce.RING.LL128",
  // and how long it thinks that takes. Nothing where ranks communicate another way, and no time
  // where the iteration is no collective of NCCL's.
  struct NcclWords {
    std::map<std::string, int> runs;
    std::optional<double> estimated_s;
  };
  NcclWords ask_nccl(int ranks, const std::function<void()>& enqueue,
                     const std::function<void()>& synchronize);

 private:
  void decide_for_cpus(Communicator& world);
  bool on_cpu() const;
  int64_t past_caches_bytes(int ranks) const;
  bool uses_nccl(int ranks) const;

  Device& device_;
  Settings settings_;
  std::string host_kind_;
  int ranks_;
  CommDecision decision_;
  bool shared_ = false;               // CPU ranks share memory
  std::unique_ptr<NcclModule> nccl_;  // where it was asked for or may be chosen
};

}  // namespace bench::runner
