#pragma once
// Open MPI's choice among its own all-reduce algorithms, made by us for one communicator.

#include <mpi.h>

#include "bench/base/dtype.h"
#include "parallel/comm/library_algorithms.h"

namespace bench {

// Open MPI reads at MPI_Init whether algorithms may be chosen at all. Call before it; a choice of
// the user's environment stays. As long as none is chosen, its decisions are those it is shipped
// with.
void allow_choice_of_algorithms();

// A duplicate of `comm` whose all-reduces go by `algorithm`. Collective. Throws Unsupported where
// the library has no such choice.
MPI_Comm duplicate_with(MPI_Comm comm, const LibraryAlgorithm& algorithm);

// The additions that one all-reduce of `count` elements makes on this rank.
std::vector<int64_t> additions_of_one(MPI_Comm comm, int64_t count, MPI_Datatype type, size_t size);

}  // namespace bench
