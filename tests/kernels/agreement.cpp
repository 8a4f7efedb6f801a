#include "tests/kernels/agreement.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

namespace bench::kernels::test {

Outputs::Outputs(const OpCase& c, Site& site) {
  for (const auto& o : c.outputs) {
    if (!o.compared) {
      opaque_.emplace_back(site, o.size);
      addresses_.push_back({opaque_.back().data()});
      continue;
    }
    memory_.push_back(o.before.empty() ? Guarded(o.dtype, o.size) : Guarded(o.dtype, o.before));
    addresses_.push_back({memory_.back().data()});
  }
}

bool Outputs::guards_intact() const {
  const auto intact = [](const auto& m) { return m.guards_intact(); };
  return std::all_of(memory_.begin(), memory_.end(), intact) &&
         std::all_of(opaque_.begin(), opaque_.end(), intact);
}

bool Outputs::same_bits_as(const Outputs& other) const {
  for (size_t i = 0; i < memory_.size(); ++i) {
    if (!same_bits(memory_[i].bytes(), other.memory_[i].bytes())) return false;
  }
  for (size_t i = 0; i < opaque_.size(); ++i) {
    if (opaque_[i].bytes() != other.opaque_[i].bytes()) return false;
  }
  return true;
}

Outputs run_kernel(const OpCase& c, Site& site) {
  Outputs out(c, site);
  c.kernel(site, out.addresses());
  return out;
}

namespace {

void expect_agreement(const OpCase& c, const Outputs& want, Site& site) {
  const auto got = run_kernel(c, site);
  EXPECT_TRUE(got.guards_intact()) << "wrote outside";
  size_t i = 0;
  for (const Output& output : c.outputs) {
    if (!output.compared) continue;
    EXPECT_LE(error_of(got.values(i), want.values(i)),
              std::isnan(output.tolerance) ? c.tolerance : output.tolerance)
        << "output " << i;
    ++i;
  }
  EXPECT_TRUE(got.same_bits_as(run_kernel(c, site))) << "other bits the second time";
}

}  // namespace

void expect_agreement(const OpCase& c, const std::vector<TestedSite>& sites) {
  Cpu host(1);
  const Outputs want(c, host);
  c.reference(want.addresses());
  for (const TestedSite& at : sites) {
    SCOPED_TRACE(c.name + ", " + at.name);
    expect_agreement(c, want, *at.site);
  }
}

}  // namespace bench::kernels::test
