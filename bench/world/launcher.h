#pragma once
// Which launcher started this process, read from the environment before MPI is touched.

#include <functional>
#include <optional>
#include <string>

namespace bench {

struct Launch {
  bool present = false;
  std::string name;  // "Open MPI", "Slurm", "PMI"
  int rank = 0, size = 1, local_rank = 0, local_size = 1;
  bool user_bound = false;  // the user asked the launcher for a binding
};

using EnvironmentLookup = std::function<std::optional<std::string>(const char*)>;
Launch detect_launch(const EnvironmentLookup& lookup);
Launch detect_launch();  // of this process

}  // namespace bench
