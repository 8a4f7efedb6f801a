#include "parallel/comm/decide.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <map>
#include <vector>

#include "bench/base/status.h"

namespace bench {
namespace {

// Why NCCL cannot serve these ranks; empty where it can.
std::string against_nccl(std::span<const std::string> uuids, std::span<const std::string> why_not) {
  for (size_t rank = 0; rank < why_not.size(); ++rank)
    if (!why_not[rank].empty()) return fmt::format("rank {}: {}", rank, why_not[rank]);
  return shared_gpu(uuids);
}

}  // namespace

CommChoice parse_comm_choice(std::string_view text) {
  if (text == "auto") return CommChoice::automatic;
  if (text == "nccl") return CommChoice::nccl;
  if (text == "staged") return CommChoice::staged;
  if (text == "mpi") return CommChoice::mpi;
  if (text == "shared") return CommChoice::shared;
  throw UsageError(fmt::format(
      "--comm is one of auto, nccl, staged (GPUs), mpi, shared (CPUs), not '{}'", text));
}

std::string shared_gpu(std::span<const std::string> uuids) {
  std::map<std::string_view, std::vector<size_t>> users;
  for (size_t rank = 0; rank < uuids.size(); ++rank) users[uuids[rank]].push_back(rank);
  for (const auto& [uuid, ranks] : users)
    if (ranks.size() > 1)
      return fmt::format("ranks {} share one GPU ({}), and NCCL wants one for each rank",
                         fmt::join(ranks, ", "), uuid.empty() ? "without a UUID" : uuid);
  return {};
}

CommDecision decide_comm(CommChoice asked, std::span<const std::string> uuids,
                         std::span<const std::string> why_not) {
  if (asked == CommChoice::staged) return {.nccl = false, .reason = "asked for"};
  if (asked == CommChoice::automatic && uuids.size() == 1)
    return {.nccl = false, .reason = "one rank alone"};
  const std::string against = against_nccl(uuids, why_not);
  if (asked == CommChoice::nccl) {
    if (against.empty()) return {.nccl = true, .reason = "asked for"};
    throw AgreedError(ExitCode::kEnvironment,
                      fmt::format("--comm nccl cannot be used here: {}; use --comm staged, or auto "
                                  "to take what there is",
                                  against));
  }
  if (against.empty()) return {.nccl = true, .reason = "every rank has a GPU of its own"};
  return {.nccl = false, .reason = against};
}

}  // namespace bench
