#include "parallel/comm/agreement.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <vector>

#include "bench/base/status.h"

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

}  // namespace bench
