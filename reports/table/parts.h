#pragma once
// The blocks of the console table; each is empty where the report has nothing for it. Private to
// this folder.

#include <string>

#include "reports/schema/report.h"

namespace bench::reports {

std::string warnings_block(const schema::Report& report);
std::string cases_block(const schema::Report& report);
std::string ceilings_block(const schema::Report& report);
std::string training_block(const schema::Report& report);
std::string scaling_block(const schema::Report& report);
std::string references_block(const schema::Report& report);
std::string verdict_block(const schema::Report& report);

}  // namespace bench::reports
