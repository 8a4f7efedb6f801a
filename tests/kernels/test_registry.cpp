#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "bench/base/status.h"
#include "kernels/linear/op.h"
#include "kernels/registry.h"

namespace bench::kernels {
namespace {

// Text of the UsageError that `call` throws.
template <class Call>
std::string usage_error(const Call& call) {
  try {
    call();
  } catch (const UsageError& e) {
    return e.what();
  }
  return "no UsageError";
}

template <class T>
int null_pointers(Ops<T> ops) {
  ops.linear_fuses_gelu = true;  // a word that is no pointer
  constexpr size_t kCount = sizeof(Ops<T>) / sizeof(void*);
  std::array<void*, kCount> pointers;
  std::memcpy(pointers.data(), &ops, sizeof(ops));
  return static_cast<int>(std::count(pointers.begin(), pointers.end(), nullptr));
}

TEST(Registry, SetsEveryPointer) {
  EXPECT_EQ(null_pointers(ops_for<float>(DeviceKind::cpu)), 0);
  EXPECT_EQ(null_pointers(ops_for<double>(DeviceKind::cpu)), 0);
}

TEST(Registry, TakesTheDefaultOrTheNamedVariant) {
  EXPECT_EQ(ops_for<float>(DeviceKind::cpu).linear_forward, &cpu::linear_forward_onednn<float>);
  EXPECT_EQ(ops_for<float>(DeviceKind::cpu, {{"linear", "loops"}}).linear_forward,
            &cpu::linear_forward_loops<float>);
}

TEST(Registry, ListsTheOpsWhenOneIsUnknown) {
  const auto text = usage_error([] { ops_for<float>(DeviceKind::cpu, {{"atention", "unfused"}}); });
  EXPECT_NE(text.find("atention"), std::string::npos) << text;
  EXPECT_NE(text.find("attention, convert, cross_entropy"), std::string::npos) << text;
}

TEST(Registry, ListsTheVariantsWhenOneIsUnknown) {
  const auto text = usage_error([] { ops_for<float>(DeviceKind::cpu, {{"linear", "magic"}}); });
  EXPECT_NE(text.find("magic"), std::string::npos) << text;
  EXPECT_NE(text.find("onednn, packed, loops"), std::string::npos) << text;
}

TEST(Registry, SaysWhichVariantsAnElementTypeHas) {
  const auto text = usage_error([] { ops_for<double>(DeviceKind::cpu, {{"linear", "onednn"}}); });
  EXPECT_NE(text.find("f64"), std::string::npos) << text;
}

TEST(Registry, RefusesADeviceWithoutKernels) {
  const auto list = all_variants<float>();
  const auto text = usage_error([&] { resolve<float>(list, DeviceKind::cuda, {}); });
  EXPECT_NE(text.find("cuda"), std::string::npos) << text;
}

TEST(Registry, MarksOneDefaultAnOpAndElementType) {
  const auto all = list_variants();
  for (const auto& v : all) {
    const auto defaults = std::count_if(all.begin(), all.end(), [&](const VariantInfo& o) {
      return o.op == v.op && o.dtype == v.dtype && o.device == v.device && o.is_default;
    });
    EXPECT_EQ(defaults, 1) << v.op;
  }
}

TEST(Registry, NamesAreUnique) {
  const auto all = list_variants();
  for (const auto& v : all) {
    const auto same = std::count_if(all.begin(), all.end(), [&](const VariantInfo& o) {
      return o.op == v.op && o.name == v.name && o.dtype == v.dtype && o.device == v.device;
    });
    EXPECT_EQ(same, 1) << v.op << " " << v.name;
  }
}

TEST(Registry, SupportsAnyShapeUnlessTheVariantSaysOtherwise) {
  constexpr Variant<float> kList[] = {{"attention", "any", DeviceKind::cpu, [](Ops<float>&) {}},
                                      {"attention", "short", DeviceKind::cpu, [](Ops<float>&) {},
                                       [](const OpShape& shape) { return shape.seq <= 512; }}};
  const auto ask = [&](const char* variant, int64_t seq) {
    return supports<float>(kList, DeviceKind::cpu, "attention", variant, {.seq = seq});
  };
  EXPECT_TRUE(ask("any", 1024));
  EXPECT_TRUE(ask("short", 512));
  EXPECT_FALSE(ask("short", 1024));
  EXPECT_THROW(ask("none", 1), UsageError);
  EXPECT_TRUE(variant_supports<float>(DeviceKind::cpu, "attention", "unfused", {.seq = 1024}));
}

}  // namespace
}  // namespace bench::kernels
