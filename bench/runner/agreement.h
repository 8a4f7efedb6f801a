#pragma once
// Doing something on every rank so that all go on, or all stop with the same words.

#include <functional>
#include <string>

#include "parallel/comm/communicator.h"

namespace bench::runner {

// Runs `step` on this rank. When it threw on any rank, throws on every rank an AgreedError with the
// exit code and the words of the first rank that failed (named, unless all said the same).
void all_or_none(Communicator& comm, const std::function<void()>& step);

}  // namespace bench::runner
