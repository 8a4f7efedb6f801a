// A step by the fast kernels is the step by their formulas.

#include <gtest/gtest.h>

#include "tests/gpt2/device_check.h"

namespace bench::gpt2 {
namespace {

constexpr int kSteps = 4;

template <class T>
void expect_close_to_formulas(const StepConfig& config) {
  CpuDevice cpu(2);
  NullTracer tracer;
  const auto got = test::train_alone<T>({.device = cpu, .tracer = tracer}, config,
                                        kernels::ops_for<T>(DeviceKind::cpu), kSteps);
  test::expect_close(got, test::by_formulas<T>(config, kSteps));
}

TEST(Formulas, AreWhatAStepComputesInFloat) {
  expect_close_to_formulas<float>(test::device_config());
  expect_close_to_formulas<float>(test::device_config(33, 131));
}

TEST(Formulas, AreWhatAStepComputesInBfloat16) {
  expect_close_to_formulas<bfloat16>(test::device_config());
  expect_close_to_formulas<bfloat16>(test::device_config(33, 131));
}

}  // namespace
}  // namespace bench::gpt2
