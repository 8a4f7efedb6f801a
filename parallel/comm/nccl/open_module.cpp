#include <dlfcn.h>
#include <fmt/format.h>

#include "bench/base/status.h"
#include "parallel/comm/nccl/nccl_module.h"

namespace bench {

std::unique_ptr<NcclModule> open_nccl_module(const std::filesystem::path& module_dir) {
  const std::filesystem::path file = module_dir / "bench_comm_nccl.so";
  if (!std::filesystem::exists(file))
    throw EnvironmentError(
        fmt::format("this build has no NCCL module ({} is not there): build where nccl.h and "
                    "libnccl are, or give --comm staged",
                    file.string()));
  void* module = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (module == nullptr)
    throw EnvironmentError(
        fmt::format("the NCCL module cannot be opened: {}; install NCCL or put the folder of "
                    "libnccl.so.2 into LD_LIBRARY_PATH, or give --comm staged",
                    dlerror()));
  const auto entry = reinterpret_cast<NcclEntry>(dlsym(module, kNcclEntryName));
  if (entry == nullptr)
    throw EnvironmentError(
        fmt::format("{} is not this program's NCCL module: {}", file.string(), dlerror()));
  return std::unique_ptr<NcclModule>(entry());
}

}  // namespace bench
