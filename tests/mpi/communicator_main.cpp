// Every check of tests/comm on MPI, and what only MPI can do wrong.
#include <fmt/format.h>

#include <stdexcept>
#include <vector>

#include "bench/base/status.h"
#include "parallel/comm/algorithms/algorithm_communicator.h"
#include "parallel/comm/library_algorithms.h"
#include "tests/comm/checks.h"
#include "tests/comm/elements.h"
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

// The words with which the library's algorithm is refused for so many elements; empty: it is taken.
std::string refusal(Communicator& comm, const char* name, int64_t count) {
  try {
    comm.by_library_algorithm(name, count, DType::f32);
    return "";
  } catch (const Unsupported& e) {
    return e.what();
  }
}

void expect_refused(Communicator& comm, const char* name, int64_t count, const char* saying) {
  const std::string words = refusal(comm, name, count);
  expect(words.find(saying) != std::string::npos,
         fmt::format("{} for {} elements is refused with '{}'", name, count, words));
}

void expect_exact_sums(Communicator& comm, int64_t count, DType dtype) {
  comm_checks::Elements mine(dtype, count), sums(dtype, count);
  for (int64_t i = 0; i < count; ++i) mine.set(i, comm_checks::small_value(comm.rank(), i));
  comm.all_reduce(Stream{}, mine.at(0), sums.at(0), count, dtype, ReduceOp::sum);
  comm_checks::expect_elements("sum by the library's algorithm", sums, [&](int64_t i) {
    double sum = 0;
    for (int r = 0; r < comm.size(); ++r) sum += comm_checks::small_value(r, i);
    return sum;
  });
}

// Bits that depend on the order of additions, by a new communicator that chose nothing.
std::vector<float> sums_of_a_new_one(Communicator& comm) {
  const auto made = comm.split(0, comm.rank());
  std::vector<float> sums(10007);
  for (size_t i = 0; i < sums.size(); ++i)
    sums[i] = 1.0F / static_cast<float>(i + 3 * static_cast<size_t>(comm.rank()) + 1);
  made->all_reduce(sums.data(), static_cast<int64_t>(sums.size()), ReduceOp::sum);
  return sums;
}

// Open MPI's own algorithms, each seen to be taken, and seen where it is replaced.
void library_algorithms_are_taken(Communicator& comm) {
  if (comm.size() == 1) return expect_refused(comm, "ring", 1000, "one rank alone");
  const std::vector<float> before = sums_of_a_new_one(comm);
  for (const LibraryAlgorithm& algorithm : library_algorithms()) {
    for (const DType dtype : {DType::f32, DType::bf16, DType::f64})
      expect_exact_sums(*comm.by_library_algorithm(algorithm.name, 300007, dtype), 300007, dtype);
    expect(sums_of_a_new_one(comm) == before,
           fmt::format("{} was left chosen for communicators to come", algorithm.name));
  }
  expect_refused(comm, "segmented_ring", 1000, "took another algorithm");
  // 2 elements are enough for every algorithm of 2 ranks.
  if (comm.size() > 2) expect_refused(comm, "ring", 2, "told to take ring for 2 elements");
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
  library_algorithms_are_taken(comm);
}

}  // namespace
}  // namespace bench::mpi_tests

int main(int argc, char** argv) {
  return bench::mpi_tests::run_program(argc, argv, bench::mpi_tests::run);
}
