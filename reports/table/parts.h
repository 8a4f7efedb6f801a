#pragma once
// The blocks of the console table; each is empty where the report has nothing for it. Private to
// this folder.

#include <string>

#include "reports/schema/report.h"

namespace bench::reports {

std::string warnings_block(const schema::Report& report);
std::string cases_block(const schema::Report& report);
std::string ceilings_block(const schema::Report& report);
std::string comparisons_block(const schema::Report& report);
std::string closure_block(const schema::Report& report);
std::string expected_block(const schema::Report& report);
std::string pairs_block(const schema::Report& report);
std::string simulated_block(const schema::Report& report);
std::string training_block(const schema::Report& report);
std::string evaluation_block(const schema::Report& report);
std::string split_block(const schema::Report& report);
std::string scaling_block(const schema::Report& report);
std::string references_block(const schema::Report& report);
std::string verdict_block(const schema::Report& report);

// The name, and of the parameters those that tell the report's cases of this name apart.
std::string label_of(const schema::Report& report, const std::string& name,
                     const std::string& dtype, const schema::Params& params);

}  // namespace bench::reports
