#pragma once
// Threads of one process that play ranks, for tests: the same calls, without a launcher.

#include <functional>

#include "parallel/comm/communicator.h"

namespace bench {

// Runs fn(communicator) on `ranks` threads and waits for them. When one throws, collective calls of
// the others throw, too, instead of waiting for it; the first exception is thrown here.
void run_ranks(int ranks, const std::function<void(Communicator&)>& fn);

}  // namespace bench
