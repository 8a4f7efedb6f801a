#include "tests/mpi/program.h"

#include <fmt/format.h>

#include <cstdio>
#include <stdexcept>

namespace bench::mpi_tests {

void expect(bool holds, const std::string& what) {
  if (!holds) throw std::runtime_error(what);
}

int run_program(int argc, char** argv, const std::function<void(World&)>& body) {
  if (argc != 2) {
    fmt::print(stderr, "usage: {} FOLDER-OF-THE-WORLD-MODULE\n", argv[0]);
    return 3;
  }
  const auto world = open_mpi_world(argv[1]);
  try {
    body(*world);
  } catch (const std::exception& e) {
    fmt::print(stderr, "rank {} of {}: {}\n", world->rank(), world->size(), e.what());
    world->abort(1);
  }
  return 0;
}

}  // namespace bench::mpi_tests
