#pragma once
// Where a test finds the program's modules: in the build, or in the tree that was carried to
// another machine.

#include <cstdlib>
#include <string>

namespace bench {

inline std::string modules_folder(const char* built) {
  const char* const carried = std::getenv("BENCH_MODULES");
  return carried != nullptr ? carried : built;
}

}  // namespace bench
