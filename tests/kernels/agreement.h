#pragma once
// A case's kernel on a site, against its reference.

#include <vector>

#include "tests/kernels/cases.h"
#include "tests/kernels/site.h"
#include "tests/kernels/support.h"

namespace bench::kernels::test {

// The outputs of one call, each between its guards; what only the variant knows is on the device.
class Outputs {
 public:
  Outputs(const OpCase& c, Site& site);
  const Addresses& addresses() const { return addresses_; }
  std::vector<double> values(size_t i) const { return memory_[i].values(); }
  bool guards_intact() const;
  bool same_bits_as(const Outputs& other) const;

 private:
  std::vector<Guarded> memory_;  // those that are compared, in order
  std::vector<OpaqueMemory> opaque_;
  Addresses addresses_;
};

Outputs run_kernel(const OpCase& c, Site& site);

// Agreement, bounds, and where the site is deterministic the same bits the second time, on each of
// the sites. Returns the largest error as a share of what is allowed.
double expect_agreement(const OpCase& c, const std::vector<TestedSite>& sites);

}  // namespace bench::kernels::test
