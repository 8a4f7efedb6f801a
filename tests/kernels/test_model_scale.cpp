// Every variant of a row op at shapes of a model: more work than a device has in flight at once.
#include <gtest/gtest.h>

#include <vector>

#include "tests/kernels/variants.h"

namespace bench::kernels::test {
namespace {

std::vector<VariantInfo> row_ops() {
  std::vector<VariantInfo> found = list_variants();
  std::erase_if(found,
                [](const VariantInfo& v) { return v.op == "linear" || v.op == "attention"; });
  return found;
}

class RowOps : public testing::TestWithParam<VariantInfo> {};

TEST_P(RowOps, AgreeWithTheirReference) { expect_agreement(GetParam(), Scale::kModel); }

INSTANTIATE_TEST_SUITE_P(All, RowOps, testing::ValuesIn(row_ops()), test_name);

}  // namespace
}  // namespace bench::kernels::test
