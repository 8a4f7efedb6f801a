#include "tests/kernels/sites.h"
#include "tests/kernels/support.h"

namespace bench::kernels::test {

const std::vector<TestedSite>& tested_sites() {
  static Cpu one(1), two(2), three(3);
  static const std::vector<TestedSite> sites = {
      {"1 thread", &one}, {"2 threads", &two}, {"3 threads", &three}};
  return sites;
}

std::unique_ptr<Site> single_site() { return std::make_unique<Cpu>(1); }

}  // namespace bench::kernels::test
