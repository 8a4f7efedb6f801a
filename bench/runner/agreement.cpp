#include "bench/runner/agreement.h"

#include <fmt/format.h>

#include <algorithm>

#include "bench/base/status.h"
#include "parallel/comm/strings.h"

namespace bench::runner {

void all_or_none(Communicator& comm, const std::function<void()>& step) {
  std::string mine;
  try {
    step();
  } catch (const Error& e) {
    mine = static_cast<char>('0' + static_cast<int>(e.code())) + std::string(e.what());
  } catch (const std::exception& e) {
    mine =
        static_cast<char>('0' + static_cast<int>(ExitCode::kEnvironment)) + std::string(e.what());
  }
  const std::vector<std::string> all = gather_strings(comm, mine);
  const auto first =
      std::find_if(all.begin(), all.end(), [](const std::string& s) { return !s.empty(); });
  if (first == all.end()) return;
  const bool same =
      std::all_of(all.begin(), all.end(), [&](const std::string& s) { return s == *first; });
  const std::string words = first->substr(1);
  throw AgreedError(static_cast<ExitCode>((*first)[0] - '0'),
                    same ? words : fmt::format("rank {}: {}", first - all.begin(), words));
}

}  // namespace bench::runner
