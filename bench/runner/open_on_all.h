#pragma once
// All ranks of a group open something, or none of them does.

#include <functional>
#include <optional>
#include <string>

#include "parallel/comm/communicator.h"
#include "reports/schema/report.h"

namespace bench::runner {

struct CannotOpen {
  schema::Outcome outcome = schema::Outcome::failed;  // or skipped
  std::string words;
};

// Calls f on every rank. What one rank throws is the reason of all, with "rank N: " before its
// words when there are several ranks: Unsupported skips the case, UsageError is thrown as an
// AgreedError, anything else fails the case. Collective over comm.
std::optional<CannotOpen> open_on_all(Communicator& comm, const std::function<void()>& f);

}  // namespace bench::runner
