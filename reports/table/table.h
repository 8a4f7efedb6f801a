#pragma once
// The report for a reader at a console.

#include <string>

#include "reports/schema/report.h"

namespace bench::reports {

// Cases, variants compared, training, closure of the step, scaling, references, notes and warnings,
// verdict; ends in a newline.
std::string console_table(const schema::Report& report);

}  // namespace bench::reports
