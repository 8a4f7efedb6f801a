#pragma once
// Whether a point of a curve had more ranks than cores.

#include "reports/schema/report.h"

namespace bench::reports {

// The first `ranks` ranks against the cores that their hosts let them use (count, CPU quota,
// affinity).
bool oversubscribed(const schema::Environment& environment, int ranks);

// CPUs in a list like "0-3,8"; 0 for text that is no such list.
int cpus_in(const std::string& list);

}  // namespace bench::reports
