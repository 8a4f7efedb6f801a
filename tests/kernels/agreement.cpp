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

double expect_agreement(const OpCase& c, const Outputs& want, Site& site) {
  const auto got = run_kernel(c, site);
  EXPECT_TRUE(got.guards_intact()) << "wrote outside";
  double worst = 0;
  size_t i = 0;
  for (const Output& output : c.outputs) {
    if (!output.compared) continue;
    const double error = error_of(got.values(i), want.values(i));
    const double allowed = std::isnan(output.tolerance) ? c.tolerance : output.tolerance;
    EXPECT_LE(error, allowed) << "output " << i;
    if (error > 0) worst = std::max(worst, error / allowed);
    ++i;
  }
  if (site.context().deterministic) {
    EXPECT_TRUE(got.same_bits_as(run_kernel(c, site))) << "other bits the second time";
  }
  return worst;
}

}  // namespace

double expect_agreement(const OpCase& c, const std::vector<TestedSite>& sites) {
  Cpu host(1);
  const Outputs want(c, host);
  c.reference(want.addresses());
  double worst = 0;
  for (const TestedSite& at : sites) {
    SCOPED_TRACE(c.name + ", " + at.name);
    worst = std::max(worst, expect_agreement(c, want, *at.site));
  }
  return worst;
}

}  // namespace bench::kernels::test
