// Every check of tests/comm on MPI, and what only MPI can do wrong.
#include <fmt/format.h>

#include <stdexcept>

#include "parallel/comm/algorithms/algorithm_communicator.h"
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

// Our own algorithms over MPI's messages, as if every two ranks had a host.
void own_algorithms_are_exact(Communicator& comm) {
  for (const algorithms::AllReduce& algorithm : algorithms::all_reduces()) {
    const bool equal_hosts = comm.size() % 2 == 0;
    AlgorithmCommunicator own(comm, algorithm,
                              equal_hosts ? static_cast<uint64_t>(comm.rank() / 2) : 0);
    for (const comm_checks::Check& check : comm_checks::all_checks()) {
      if (std::string_view(check.name).find("all_reduce") == std::string_view::npos) continue;
      try {
        check.run(own);
      } catch (const std::exception& e) {
        throw std::runtime_error(fmt::format("{}: {}: {}", algorithm.name, check.name, e.what()));
      }
    }
  }
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
  own_algorithms_are_exact(comm);
}

}  // namespace
}  // namespace bench::mpi_tests

int main(int argc, char** argv) {
  return bench::mpi_tests::run_program(argc, argv, bench::mpi_tests::run);
}
