#include "bench/world/world.h"

#include <dlfcn.h>
#include <fmt/format.h>
#include <unistd.h>

#include "bench/base/status.h"
#include "parallel/comm/self/self_communicator.h"

namespace bench {
namespace {

class SingleWorld final : public World {
 public:
  int rank() const override { return 0; }
  int size() const override { return 1; }
  int local_rank() const override { return 0; }
  int local_size() const override { return 1; }
  Communicator& comm() override { return comm_; }
  std::unique_ptr<Communicator> group(int) override { return std::make_unique<SelfCommunicator>(); }
  int park() override { return 0; }
  void release(int, int, int) override {}
  std::string library() const override { return {}; }
  void abort(int code) noexcept override { _exit(code); }

 private:
  SelfCommunicator comm_;
};

}  // namespace

std::unique_ptr<World> make_single_world() { return std::make_unique<SingleWorld>(); }

std::unique_ptr<World> open_mpi_world(const std::filesystem::path& module_dir) {
  const std::filesystem::path file = module_dir / "bench_world_mpi.so";
  if (!std::filesystem::exists(file))
    throw EnvironmentError(
        fmt::format("MPI is wanted, but {} is not there: install libopenmpi-dev and build again, "
                    "or give --mpi off",
                    file.string()));
  void* module = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (module == nullptr)
    throw EnvironmentError(
        fmt::format("MPI is wanted, but its module cannot be opened: {}; install openmpi-bin, or "
                    "give --mpi off",
                    dlerror()));
  const auto entry = reinterpret_cast<WorldEntry>(dlsym(module, kWorldEntryName));
  if (entry == nullptr)
    throw EnvironmentError(
        fmt::format("{} is not this program's MPI module: {}", file.string(), dlerror()));
  return std::unique_ptr<World>(entry());
}

}  // namespace bench
