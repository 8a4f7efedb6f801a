// Ends with 77, which ctest takes for "skipped", where there is no CUDA device. One line a test.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/device/cuda_device.h"

namespace bench::kernels::test {
namespace {

constexpr int kSkipped = 77;

class OneLineATest final : public testing::EmptyTestEventListener {
 public:
  void OnTestEnd(const testing::TestInfo& test) override {
    const testing::TestResult& result = *test.result();
    std::string recorded;
    for (int i = 0; i < result.test_property_count(); ++i) {
      const testing::TestProperty& property = result.GetTestProperty(i);
      recorded += fmt::format("  {} {}", property.key(), property.value());
    }
    fmt::print("{:7} {:6} ms  {}.{}{}\n",
               result.Skipped()  ? "skipped"
               : result.Passed() ? "ok"
                                 : "FAILED",
               result.elapsed_time(), test.test_suite_name(), test.name(), recorded);
  }
};

}  // namespace
}  // namespace bench::kernels::test

int main(int argc, char** argv) {
  using namespace bench::kernels::test;
  GTEST_FLAG_SET(brief, true);
  testing::InitGoogleTest(&argc, argv);
  std::string why_not;
  if (bench::test::open_cuda_device(why_not) == nullptr && !GTEST_FLAG_GET(list_tests)) {
    fmt::print("skipped: {}\n", why_not);
    return kSkipped;
  }
  testing::UnitTest::GetInstance()->listeners().Append(new OneLineATest);
  return RUN_ALL_TESTS();
}
