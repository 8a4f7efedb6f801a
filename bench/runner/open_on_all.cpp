#include "bench/runner/open_on_all.h"

#include <fmt/format.h>

#include <vector>

#include "bench/base/status.h"
#include "parallel/comm/strings.h"

namespace bench::runner {
namespace {

// What a rank says after a guarded call, for its group: "" or a letter for the kind and the words.
constexpr char kUnsupported = 'u', kUsage = 'i', kFailed = 'f';

std::string guarded(const std::function<void()>& call) {
  try {
    call();
    return {};
  } catch (const Unsupported& e) {
    return kUnsupported + std::string(e.what());
  } catch (const UsageError& e) {
    return kUsage + std::string(e.what());
  } catch (const std::exception& e) {
    return kFailed + std::string(e.what());
  }
}

}  // namespace

std::optional<CannotOpen> open_on_all(Communicator& comm, const std::function<void()>& f) {
  const std::vector<std::string> all = gather_strings(comm, guarded(f));
  for (size_t rank = 0; rank < all.size(); ++rank) {
    if (all[rank].empty()) continue;
    const char kind = all[rank][0];
    std::string words = all[rank].substr(1);
    if (all.size() > 1) words = fmt::format("rank {}: {}", rank, words);
    if (kind == kUsage) throw AgreedError(ExitCode::kUsage, words);
    return CannotOpen{
        .outcome = kind == kUnsupported ? schema::Outcome::skipped : schema::Outcome::failed,
        .words = std::move(words)};
  }
  return {};
}

}  // namespace bench::runner
