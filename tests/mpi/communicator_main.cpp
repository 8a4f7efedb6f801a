// Every check of tests/comm on MPI, and what only MPI can do wrong.
#include <fmt/format.h>

#include <stdexcept>

#include "tests/comm/checks.h"
#include "tests/mpi/program.h"

namespace bench::mpi_tests {
namespace {

void mpi_errors_become_exceptions(Communicator& comm) {
  // Caught here although it is thrown inside the module, with the library's own words.
  const auto part = comm.split(0, 0);
  int32_t value = 0;
  try {
    part->send(Stream{}, &value, 1, DType::i32, part->size(), 0);
  } catch (const std::runtime_error& e) {
    const std::string words = e.what();
    expect(words.find("MPI_Send") != std::string::npos &&
               words.find("invalid rank") != std::string::npos,
           "an MPI error without its words: " + words);
    return;
  }
  throw std::runtime_error("a message to a rank that is not there went out");
}

void run(World& world) {
  Communicator& comm = world.comm();
  expect(comm.kind() == "mpi", "the world's communicator is not MPI's");
  for (const comm_checks::Check& check : comm_checks::all_checks()) {
    try {
      check.run(comm);
    } catch (const std::exception& e) {
      throw std::runtime_error(fmt::format("{}: {}", check.name, e.what()));
    }
  }
  mpi_errors_become_exceptions(comm);
}

}  // namespace
}  // namespace bench::mpi_tests

int main(int argc, char** argv) {
  return bench::mpi_tests::run_program(argc, argv, bench::mpi_tests::run);
}
