#pragma once
// Threads as ranks, for tests of what every single rank throws.

#include <functional>
#include <string>
#include <vector>

#include "parallel/comm/threads/threads_communicator.h"

namespace bench::test {

// What each rank's f threw: its words, "" when nothing.
inline std::vector<std::string> run_ranks(int ranks, const std::function<void(Communicator&)>& f) {
  std::vector<std::string> thrown(static_cast<size_t>(ranks));
  bench::run_ranks(ranks, [&](Communicator& comm) {
    try {
      f(comm);
    } catch (const std::exception& e) {
      thrown[static_cast<size_t>(comm.rank())] = e.what();
    }
  });
  return thrown;
}

}  // namespace bench::test
