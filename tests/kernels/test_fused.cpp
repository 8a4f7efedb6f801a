// The cases of linear with GELU, which no variant on the CPU has, by a product and GELU after it.
#include <gtest/gtest.h>

#include "tests/kernels/agreement.h"

namespace bench::kernels::test {
namespace {

template <class T>
const Ops<T>& apart() {
  static const Ops<T> ops = ops_for<T>(DeviceKind::cpu);
  return ops;
}

template <class T>
void forward(const Context& context, const LinearForward<T>& a) {
  apart<T>().linear_forward(context, a);
  if (a.gelu == nullptr) return;
  apart<T>().gelu_forward(context,
                          {.n = a.n, .cols = a.out, .x = a.y, .bias = nullptr, .y = a.gelu});
}

template <class T>
void input_grad(const Context& context, const LinearInputGrad<T>& a) {
  apart<T>().linear_input_grad(context, a);
  if (a.gelu_of == nullptr) return;
  apart<T>().gelu_backward(context, {.n = a.n,
                                     .cols = a.in,
                                     .dy = a.dx,
                                     .x = a.gelu_of,
                                     .bias = nullptr,
                                     .dx = a.dx,
                                     .d_bias = nullptr});
}

template <class T>
void expect_fused_cases_to_agree() {
  Ops<T> ops = apart<T>();
  const size_t plain = cases_of("linear", ops).size();
  ops.linear_fuses_gelu = true;
  ops.linear_forward = forward<T>;
  ops.linear_input_grad = input_grad<T>;
  Cpu cpu(2);
  const Cases cases = cases_of("linear", ops);
  EXPECT_GT(cases.size(), plain);
  for (const OpCase& c : cases) expect_agreement(c, {{"2 threads", &cpu}});
}

TEST(FusedGelu, HasCasesThatAgree) {
  expect_fused_cases_to_agree<float>();
  expect_fused_cases_to_agree<bfloat16>();
}

}  // namespace
}  // namespace bench::kernels::test
