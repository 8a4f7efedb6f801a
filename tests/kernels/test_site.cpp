// What tests of a device without shared memory rest on: tensors reach it and come back, and what an
// op does wrong on the way is seen.
#include <gtest/gtest-spi.h>
#include <gtest/gtest.h>

#include <cstring>

#include "kernels/elementwise/op.h"
#include "tests/kernels/agreement.h"
#include "tests/kernels/far_device.h"
#include "tests/kernels/site.h"

namespace bench::kernels::test {
namespace {

constexpr const char* kOps[] = {"adamw",       "attention", "convert", "cross_entropy",
                                "dropout",     "embedding", "gelu",    "layer_norm",
                                "elementwise", "linear",    "softmax"};

template <class T>
void expect_every_op_to_agree() {
  Site far(std::make_unique<FarDevice>(2));
  const Ops<T> ops = far_ops(ops_for<T>(DeviceKind::cpu));
  for (const char* op : kOps) {
    const Cases cases = cases_of(op, ops);
    EXPECT_FALSE(cases.empty()) << op;
    for (const OpCase& c : cases) {
      SCOPED_TRACE(op);
      expect_agreement(c, {{"far", &far}});
    }
  }
}

TEST(FarSite, RunsEveryOp) {
  expect_every_op_to_agree<float>();
  expect_every_op_to_agree<bfloat16>();
}

// An addition that does what `wrong` says to its tensors, as the device has them.
template <class Wrong>
float added_wrongly(const Wrong& wrong) {
  static const Wrong* what = nullptr;
  what = &wrong;
  Site far(std::make_unique<FarDevice>(1));
  std::vector<float> x = {1, 2, 3}, y = {10, 20, 30};
  const auto run = [](const Context&, const Add<float>& given) {
    Add<float> a = given;
    for_each_pointer(a, [](auto*& pointer, int64_t) { pointer = to_near(pointer); });
    reference_add(a);
    (*what)(a);
  };
  far.call<Add<float>>(run, {.size = 3, .x = x.data(), .y = y.data()});
  return y[2];
}

TEST(FarSite, BringsBackWhatWasWritten) {
  EXPECT_EQ(added_wrongly([](const Add<float>&) {}), 33);
}

TEST(FarSite, SeesWritesOutsideOfATensor) {
  EXPECT_NONFATAL_FAILURE(added_wrongly([](const Add<float>& a) { a.y[3] = 0; }),
                          "outside of its tensors");
  EXPECT_NONFATAL_FAILURE(added_wrongly([](const Add<float>& a) { a.y[-1] = 0; }),
                          "outside of its tensors");
}

TEST(FarSite, SeesWritesToAnInput) {
  EXPECT_NONFATAL_FAILURE(
      added_wrongly([](const Add<float>& a) { const_cast<float*>(a.x)[1] = 0; }), "to an input");
}

TEST(FarSite, LetsReadsOutsideOfATensorShow) {
  EXPECT_TRUE(std::isnan(added_wrongly([](const Add<float>& a) { a.y[2] += a.x[3]; })));
}

TEST(FarSite, AlignsTensorsToALine) {
  EXPECT_EQ(added_wrongly([](const Add<float>& a) {
              for (const float* tensor : {a.x, static_cast<const float*>(a.y)})
                EXPECT_EQ(reinterpret_cast<uintptr_t>(tensor) % 64, 0U);
            }),
            33);
}

}  // namespace
}  // namespace bench::kernels::test
