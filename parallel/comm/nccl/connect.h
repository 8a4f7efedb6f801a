#pragma once
// Making communicators of NCCL. Only NCCL's module includes this.

#include <nccl.h>

#include <string>

#include "parallel/comm/communicator.h"

namespace bench::nccl {

// "doing: what NCCL says".
std::string words_of(ncclResult_t result, const std::string& doing);

// The state of a communicator once it is no longer in progress; ncclInProgress after `seconds`.
ncclResult_t settled(ncclComm_t comm, double seconds);

// A communicator of the ranks of `host` on each rank's current GPU, whose calls only give work to a
// stream. Collective over host. Throws EnvironmentError.
ncclComm_t connect(Communicator& host, double deadline_s);

// The part of those that give the same color (>= 0), ordered by key, then by rank.
ncclResult_t split(ncclComm_t comm, int color, int key, ncclComm_t* made);

}  // namespace bench::nccl
