#include "parallel/comm/agreement.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <vector>

#include "bench/base/status.h"
#include "parallel/comm/strings.h"

namespace bench {

void agree(Communicator& comm, std::string_view what, uint64_t hash) {
  std::vector<uint64_t> all(static_cast<size_t>(comm.size()));
  comm.all_gather(Stream{}, &hash, all.data(), 1, DType::u64);
  std::map<uint64_t, int> votes;
  for (const uint64_t h : all) ++votes[h];
  if (votes.size() == 1) return;
  // Of equally many, rank 0's side is taken for the usual one.
  uint64_t usual = all[0];
  for (const auto& [h, n] : votes)
    if (n > votes[usual]) usual = h;
  std::vector<size_t> others;
  for (size_t r = 0; r < all.size(); ++r)
    if (all[r] != usual) others.push_back(r);
  throw AgreedError(ExitCode::kEnvironment,
                    fmt::format("the ranks disagree on {}: rank{} {} differ{} from the rest; start "
                                "the same build with the same "
                                "files and options on every rank",
                                what, others.size() == 1 ? "" : "s", fmt::join(others, ", "),
                                others.size() == 1 ? "s" : ""));
}

void all_ready(Communicator& comm, std::string_view step, const std::string& why_not) {
  const std::vector<std::string> reasons = gather_strings(comm, why_not);
  const auto has_reason = [](const std::string& reason) { return !reason.empty(); };
  const auto first = std::find_if(reasons.begin(), reasons.end(), has_reason);
  if (first == reasons.end()) return;
  throw AgreedError(ExitCode::kEnvironment,
                    fmt::format("{}: rank {} cannot: {}", step, first - reasons.begin(), *first));
}

}  // namespace bench
