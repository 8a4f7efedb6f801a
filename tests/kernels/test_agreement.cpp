// Every registered variant of every op against its reference: agreement, bounds, the same bits
// again, and two threads at once. A variant added to the registry is tested here without another
// line.
#include <gtest/gtest.h>

#include <thread>

#include "tests/kernels/agreement.h"
#include "tests/kernels/sites.h"
#include "tests/kernels/variants.h"

namespace bench::kernels::test {
namespace {

// Two ranks of one thread each in one process, in step with each other.
void expect_two_at_once(const OpCase& c, Site& first, Site& second) {
  const auto alone = run_kernel(c, first);
  int different[2] = {0, 0};
  const auto repeat = [&](Site* site, int* count) {
    for (int i = 0; i < 5; ++i) *count += run_kernel(c, *site).same_bits_as(alone) ? 0 : 1;
  };
  std::thread other(repeat, &first, &different[0]);
  repeat(&second, &different[1]);
  other.join();
  EXPECT_EQ(different[0] + different[1], 0) << c.name << ": two threads at once disturb each other";
}

class EveryVariant : public testing::TestWithParam<VariantInfo> {};

TEST_P(EveryVariant, AgreesWithItsReference) { expect_agreement(GetParam(), Scale::kOdd); }

TEST_P(EveryVariant, RunsOnTwoThreadsAtOnce) {
  const auto first = single_site(), second = single_site();
  with_cases(GetParam(), Scale::kOdd, [&](const Cases& cases) {
    for (const OpCase& c : cases) expect_two_at_once(c, *first, *second);
  });
}

INSTANTIATE_TEST_SUITE_P(All, EveryVariant, testing::ValuesIn(list_variants()), test_name);

}  // namespace
}  // namespace bench::kernels::test
