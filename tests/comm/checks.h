#pragma once
// What every communicator must do, as functions over the interface: threads that play ranks and MPI
// run the same bodies. Each is collective; what is wrong is thrown as std::runtime_error.

#include <span>

#include "parallel/comm/communicator.h"

namespace bench::comm_checks {

struct Check {
  const char* name;
  void (*run)(Communicator&);
};

std::span<const Check> all_checks();

}  // namespace bench::comm_checks
