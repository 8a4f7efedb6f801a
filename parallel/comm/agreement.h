#pragma once
// Making sure that all ranks hold the same thing.

#include <cstdint>
#include <string>
#include <string_view>

#include "parallel/comm/communicator.h"

namespace bench {

// Throws AgreedError (environment) on every rank, naming `what` and the ranks that differ from most
// others, when the hashes are not all equal. Collective.
void agree(Communicator& comm, std::string_view what, uint64_t hash);

// Before a step in which ranks wait for each other: `why_not` says what keeps this rank from it,
// empty where nothing does. Throws AgreedError (environment) on every rank, naming the first that
// cannot and its words. Collective.
void all_ready(Communicator& comm, std::string_view step, const std::string& why_not);

}  // namespace bench
