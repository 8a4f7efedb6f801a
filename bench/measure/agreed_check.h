#pragma once
// A check that every rank does and every rank knows the outcome of.

#include "bench/measure/subject.h"
#include "parallel/comm/communicator.h"

namespace bench::measure {

// wrong before unverified before passed; of equals the greater error in units of its tolerance (an
// error that is not finite is the greatest), then the first.
const schema::Verify& worse_of(const schema::Verify& a, const schema::Verify& b);

// The worst rank's outcome, the same on every rank; detail starts with "rank N: " when it is wrong
// and there are several ranks. Collective over comm (host memory); an exception of one rank is
// thrown on all.
schema::Verify check_on_all(Subject& subject, Communicator& comm);

}  // namespace bench::measure
