#pragma once
// Text held against a file under golden/. BENCH_UPDATE_GOLDEN=1 in the environment writes the files
// instead, for a change that is meant; the difference is then reviewed like any other.

#include <string>

namespace bench::test {

void expect_golden(const std::string& text, const std::string& file);

}  // namespace bench::test
