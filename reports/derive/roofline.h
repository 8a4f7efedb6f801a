#pragma once
// How near a case comes to the machine's limits: the roofline model (Williams, Waterman and
// Patterson 2009) with the ceilings of the case's own rounds.

#include "reports/schema/report.h"

namespace bench::reports {

// Fills `roofline` of every measured case that declares FLOPs or bytes. The stream it is held
// against is its flank where it has one, else as copy_rates says.
void derive_roofline(schema::Report& report);

}  // namespace bench::reports
