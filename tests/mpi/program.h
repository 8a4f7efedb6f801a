#pragma once
// Frame of the programs that run under mpirun: opens the world from its module, runs, and ends all
// ranks when one fails.

#include <functional>
#include <string>

#include "bench/world/world.h"

namespace bench::mpi_tests {

// Throws std::runtime_error when `holds` is false.
void expect(bool holds, const std::string& what);

// argv[1]: the folder of the world module. Returns the exit status.
int run_program(int argc, char** argv, const std::function<void(World&)>& body);

}  // namespace bench::mpi_tests
