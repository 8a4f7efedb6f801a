#pragma once
// The sites of this test program: each has a file of its own that defines these.

#include <memory>
#include <vector>

#include "tests/kernels/site.h"

namespace bench::kernels::test {

// Where every kernel has to pass; they live as long as the program.
const std::vector<TestedSite>& tested_sites();

// As a rank of one thread has it; several work at once.
std::unique_ptr<Site> single_site();

}  // namespace bench::kernels::test
