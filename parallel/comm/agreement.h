#pragma once
// Making sure that all ranks hold the same thing.

#include <cstdint>
#include <string_view>

#include "parallel/comm/communicator.h"

namespace bench {

// Throws AgreedError (environment) on every rank, naming `what` and the ranks that differ from most
// others, when the hashes are not all equal. Collective.
void agree(Communicator& comm, std::string_view what, uint64_t hash);

}  // namespace bench
