// A prepared weight is made once, read until it is declared invalid, and made again.
#include <gtest/gtest.h>

#include <cstring>

#include "kernels/linear/op.h"
#include "kernels/linear/prepared.h"
#include "kernels/registry.h"
#include "tests/kernels/support.h"

namespace bench::kernels::test {
namespace {

constexpr int64_t kRows = 37, kIn = 65, kOut = 129;

// The two products that read the weight, with one prepared weight or without.
template <class T>
class Layer {
 public:
  explicit Layer(const Ops<T>& ops) : ops_(ops) {}

  void write_weight(uint32_t seed) { w_ = random_values<T>(kOut * kIn, seed); }
  // y and dx, one after the other.
  std::vector<T> products(PreparedWeights* prepared) {
    Cpu cpu(2);
    std::vector<T> out(kRows * (kOut + kIn));
    ops_.linear_forward(cpu.context(), {.n = kRows,
                                        .in = kIn,
                                        .out = kOut,
                                        .x = x_.data(),
                                        .w = w_.data(),
                                        .bias = nullptr,
                                        .y = out.data(),
                                        .prepared = prepared});
    ops_.linear_input_grad(cpu.context(), {.n = kRows,
                                           .in = kIn,
                                           .out = kOut,
                                           .dy = dy_.data(),
                                           .w = w_.data(),
                                           .dx = out.data() + kRows * kOut,
                                           .prepared = prepared});
    return out;
  }

 private:
  Ops<T> ops_;
  std::vector<T> w_;
  std::vector<T> x_ = random_values<T>(kRows * kIn, 1), dy_ = random_values<T>(kRows * kOut, 2);
};

template <class T>
bool same(const std::vector<T>& a, const std::vector<T>& b) {
  return std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0;
}

template <class T>
void expect_fresh_after_invalidate(const std::string& variant) {
  const auto ops = ops_for<T>(DeviceKind::cpu, {{"linear", variant}});
  Layer<T> layer(ops);
  PreparedWeights prepared;
  layer.write_weight(3);
  const auto first = layer.products(&prepared);
  const int64_t forms = prepared.fills();
  EXPECT_EQ(forms > 0, ops.linear_prepared_bytes(kRows, kIn, kOut) > 0)
      << variant << " keeps what it does not declare";
  EXPECT_TRUE(same<T>(layer.products(&prepared), first)) << variant;
  EXPECT_EQ(prepared.fills(), forms) << variant << ": made again though nothing was written";

  layer.write_weight(4);
  // Where a form is kept, it is what the products read: a forgotten invalidate() shows.
  if (forms == 2) {
    EXPECT_TRUE(same<T>(layer.products(&prepared), first)) << variant;
  }
  prepared.invalidate();
  PreparedWeights of_new_weight;
  EXPECT_TRUE(same<T>(layer.products(&prepared), layer.products(&of_new_weight))) << variant;
  EXPECT_FALSE(same<T>(layer.products(&prepared), first)) << variant;
  EXPECT_EQ(prepared.fills(), 2 * forms) << variant;
}

TEST(PreparedWeights, AreMadeOnceAfterEachInvalidate) {
  for (const VariantInfo& v : list_variants()) {
    if (v.op != "linear") continue;
    const std::string name(v.name);
    if (v.dtype == DType::f32) expect_fresh_after_invalidate<float>(name);
    if (v.dtype == DType::f64) expect_fresh_after_invalidate<double>(name);
    if (v.dtype == DType::bf16) expect_fresh_after_invalidate<bfloat16>(name);
  }
}

TEST(PreparedWeights, ServeVariantsAndShapesOneAfterTheOther) {
  PreparedForm form;
  const auto fill_with = [&](int value) {
    return [value](void* memory) { *static_cast<int*>(memory) = value; };
  };
  const auto held = [](const void* memory) { return *static_cast<const int*>(memory); };
  EXPECT_EQ(held(form.in(std::string("a"), sizeof(int), fill_with(1))), 1);
  EXPECT_EQ(held(form.in(std::string("a"), sizeof(int), fill_with(2))), 1);
  EXPECT_EQ(held(form.in(std::string("b"), sizeof(int), fill_with(3))), 3);
  EXPECT_EQ(held(form.in(7, sizeof(int), fill_with(4))), 4);
  form.invalidate();
  EXPECT_EQ(held(form.in(7, sizeof(int), fill_with(5))), 5);
}

}  // namespace
}  // namespace bench::kernels::test
