#pragma once
// Registered variants as parameters of tests.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "kernels/registry.h"
#include "tests/kernels/agreement.h"
#include "tests/kernels/sites.h"

namespace bench::kernels {

inline void PrintTo(const VariantInfo& v, std::ostream* to) {
  *to << v.op << " " << v.name << " " << name_of(v.dtype);
}

namespace test {

inline std::string test_name(const testing::TestParamInfo<VariantInfo>& p) {
  return fmt::format("{}_{}_{}", p.param.op, p.param.name, name_of(p.param.dtype));
}

inline std::vector<VariantInfo> variants_of(std::string_view op) {
  std::vector<VariantInfo> found = list_variants();
  std::erase_if(found, [&](const VariantInfo& v) { return v.op != op; });
  return found;
}

// Calls body with the cases of the variant that it does not refuse.
template <class T, class Body>
void with_cases(const VariantInfo& v, Scale scale, const Body& body) {
  const auto ops = ops_for<T>(v.device, {{std::string(v.op), std::string(v.name)}});
  Cases cases = cases_of(v.op, ops, scale);
  std::erase_if(cases, [&](const OpCase& c) {
    return !variant_supports<T>(v.device, v.op, v.name, c.shape);
  });
  body(cases);
}

template <class Body>
void with_cases(const VariantInfo& v, Scale scale, const Body& body) {
  if (v.dtype == DType::f32) with_cases<float>(v, scale, body);
  if (v.dtype == DType::f64) with_cases<double>(v, scale, body);
  if (v.dtype == DType::bf16) with_cases<bfloat16>(v, scale, body);
}

// All cases of the variant on all sites; recorded: how many, and the largest error as a share of
// what is allowed.
inline void expect_agreement(const VariantInfo& v, Scale scale) {
  with_cases(v, scale, [](const Cases& cases) {
    EXPECT_FALSE(cases.empty()) << "there are no cases";
    double worst = 0;
    for (const OpCase& c : cases) worst = std::max(worst, expect_agreement(c, tested_sites()));
    testing::Test::RecordProperty("cases", static_cast<int>(cases.size()));
    testing::Test::RecordProperty("worst_of_allowed", fmt::format("{:.2f}", worst));
  });
}

}  // namespace test
}  // namespace bench::kernels
