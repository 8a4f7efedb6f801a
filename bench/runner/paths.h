#pragma once
// Where the program finds its own parts. The build tree and the installed tree have the same shape:
// bin/bench, lib*/bench/{plugins/,bench_world_mpi.so}, share/bench/{suites,…}.

#include <filesystem>

namespace bench::runner {

struct Paths {
  std::filesystem::path modules;  // …/lib/bench
  std::filesystem::path plugins;  // …/lib/bench/plugins
  std::filesystem::path data;     // …/share/bench
};

// From the place of the running program. Throws EnvironmentError when the tree is not complete.
Paths find_paths();

}  // namespace bench::runner
