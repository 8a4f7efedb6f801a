// Every check of tests/comm on the memory of GPUs: staged through host memory, which two ranks on
// one GPU can do, and over what the program would choose for these ranks.
#include <fmt/format.h>

#include <cstdio>
#include <memory>
#include <stdexcept>

#include "bench/base/status.h"
#include "bench/device/cuda/open_gpu.h"
#include "bench/runner/device_comms.h"
#include "parallel/comm/staged/staged_communicator.h"
#include "parallel/comm/strings.h"
#include "tests/comm/checks.h"
#include "tests/comm/through_device.h"
#include "tests/mpi/program.h"

namespace bench::mpi_tests {
namespace {

// On every rank or on none.
std::unique_ptr<GpuDevice> open_on_all(World& world, const std::string& modules) {
  std::unique_ptr<GpuDevice> device;
  std::string why_not;
  try {
    device =
        open_gpu(modules, {.local_rank = world.local_rank(), .local_size = world.local_size()});
  } catch (const EnvironmentError& e) {
    why_not = e.what();
  }
  for (const std::string& words : gather_strings(world.comm(), why_not)) {
    if (words.empty()) continue;
    if (world.rank() == 0) fmt::print("SKIPPED: {}\n", words);
    return nullptr;
  }
  return device;
}

void check_all(Communicator& on_device, Device& device) {
  const Stream stream = device.create_stream();
  comm_checks::ThroughDevice comm(on_device, device, stream);
  for (const comm_checks::Check& check : comm_checks::all_checks()) {
    try {
      check.run(comm);
    } catch (const std::exception& e) {
      throw std::runtime_error(fmt::format("{}: {}: {}", comm.kind(), check.name, e.what()));
    }
  }
  device.destroy_stream(stream);
}

void run(World& world, const std::string& modules) {
  const auto device = open_on_all(world, modules);
  if (!device) return;
  StagedCommunicator staged(world.comm(), *device);
  check_all(staged, *device);
  runner::DeviceComms comms(
      world.comm(), *device,
      {.asked = CommChoice::automatic, .module_dir = modules, .deadline_s = 60});
  const auto chosen = comms.make(world.comm());
  check_all(*chosen, *device);
  if (world.rank() == 0) fmt::print("{}\n", comms.note());
}

}  // namespace
}  // namespace bench::mpi_tests

int main(int argc, char** argv) {
  const std::string modules = argc > 1 ? argv[1] : "";
  return bench::mpi_tests::run_program(
      argc, argv, [&](bench::World& world) { bench::mpi_tests::run(world, modules); });
}
