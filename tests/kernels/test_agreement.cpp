// Every registered variant of every op against its reference: agreement, bounds, the same bits
// again, and two threads at once. A variant added to the registry is tested here without another
// line.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <thread>

#include "kernels/registry.h"
#include "tests/kernels/agreement.h"
#include "tests/kernels/sites.h"

namespace bench::kernels {

void PrintTo(const VariantInfo& v, std::ostream* to) {
  *to << v.op << " " << v.name << " " << name_of(v.dtype);
}

namespace test {
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

class EveryVariant : public testing::TestWithParam<VariantInfo> {
 protected:
  template <class Check>
  void for_each_case(const Check& check) {
    const VariantInfo& v = GetParam();
    size_t count = 0;
    const auto run = [&](const auto& cases) {
      for (const auto& c : cases) check(c);
      count = cases.size();
    };
    const VariantChoice choice = {{std::string(v.op), std::string(v.name)}};
    if (v.dtype == DType::f32) run(cases_of(v.op, ops_for<float>(v.device, choice)));
    if (v.dtype == DType::f64) run(cases_of(v.op, ops_for<double>(v.device, choice)));
    if (v.dtype == DType::bf16) run(cases_of(v.op, ops_for<bfloat16>(v.device, choice)));
    EXPECT_GT(count, 0u) << "no cases for op " << v.op << " in " << name_of(v.dtype);
  }
};

TEST_P(EveryVariant, AgreesWithItsReference) {
  for_each_case([](const auto& c) { expect_agreement(c, tested_sites()); });
}

TEST_P(EveryVariant, RunsOnTwoThreadsAtOnce) {
  const auto first = single_site(), second = single_site();
  for_each_case([&](const auto& c) { expect_two_at_once(c, *first, *second); });
}

INSTANTIATE_TEST_SUITE_P(All, EveryVariant, testing::ValuesIn(list_variants()), [](const auto& p) {
  return fmt::format("{}_{}_{}", p.param.op, p.param.name, name_of(p.param.dtype));
});

}  // namespace
}  // namespace test
}  // namespace bench::kernels
