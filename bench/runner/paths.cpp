#include "bench/runner/paths.h"

#include <fmt/format.h>

#include "bench/base/status.h"

namespace bench::runner {
namespace fs = std::filesystem;

Paths find_paths() {
  std::error_code error;
  const fs::path program = fs::read_symlink("/proc/self/exe", error);
  if (error)
    throw EnvironmentError("cannot find the program's own path through /proc/self/exe: " +
                           error.message());
  const fs::path root = program.parent_path().parent_path();
  Paths paths;
  for (const char* lib : {"lib", "lib64", "lib/x86_64-linux-gnu", "lib/aarch64-linux-gnu"})
    if (fs::is_directory(root / lib / "bench" / "plugins")) paths.modules = root / lib / "bench";
  paths.plugins = paths.modules / "plugins";
  paths.data = root / "share" / "bench";
  if (paths.modules.empty() || !fs::is_directory(paths.data))
    throw EnvironmentError(
        fmt::format("{} lacks lib/bench/plugins or share/bench beside {}: install the whole tree "
                    "(cmake --install), do not move the program alone",
                    root.string(), program.string()));
  return paths;
}

}  // namespace bench::runner
