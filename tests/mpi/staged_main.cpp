// Every check of tests/comm on buffers that only a device can read, staged through host memory over
// MPI.
#include <fmt/format.h>

#include <stdexcept>

#include "parallel/comm/staged/staged_communicator.h"
#include "tests/comm/checks.h"
#include "tests/comm/remote_device.h"
#include "tests/comm/through_device.h"
#include "tests/mpi/program.h"

namespace bench::mpi_tests {
namespace {

// Less than the checks' longest vectors: they go in pieces.
constexpr int64_t kStagingBytes = 10'000;

void run(World& world) {
  comm_checks::RemoteDevice device;
  StagedCommunicator staged(world.comm(), device, kStagingBytes);
  comm_checks::ThroughDevice comm(staged, device, device.create_stream());
  for (const comm_checks::Check& check : comm_checks::all_checks()) {
    try {
      check.run(comm);
    } catch (const std::exception& e) {
      throw std::runtime_error(fmt::format("{}: {}", check.name, e.what()));
    }
  }
}

}  // namespace
}  // namespace bench::mpi_tests

int main(int argc, char** argv) {
  return bench::mpi_tests::run_program(argc, argv, bench::mpi_tests::run);
}
