#pragma once
// Which communicator serves the cases' buffers: a function of what the ranks found out,
// the same on every rank.

#include <span>
#include <string>
#include <string_view>

namespace bench {

// --comm.
enum class CommChoice { automatic, nccl, staged, mpi, shared };
// "auto", "nccl", "staged" (on GPUs), "mpi", "shared" (on CPUs); or UsageError.
CommChoice parse_comm_choice(std::string_view text);

struct CommDecision {
  bool nccl = false;   // else staged through host memory
  std::string reason;  // in words, for the report
};

// Ranks that share a GPU, in words, or empty: NCCL wants one for each. uuids: by rank.
std::string shared_gpu(std::span<const std::string> uuids);

// why_not: by rank, why NCCL cannot be used there; empty where it can. Throws AgreedError
// (environment) where NCCL is asked for and cannot be used. A rank alone needs neither: it is given
// NCCL only where that is asked for.
CommDecision decide_comm(CommChoice asked, std::span<const std::string> uuids,
                         std::span<const std::string> why_not);

}  // namespace bench
