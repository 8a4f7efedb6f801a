// Every registered variant of every op against its reference: agreement, bounds, the same bits
// again, and two threads at once. A variant added to the registry is tested here without another
// line.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <thread>

#include "kernels/registry.h"
#include "tests/kernels/cases.h"
#include "tests/kernels/support.h"

namespace bench::kernels {

void PrintTo(const VariantInfo& v, std::ostream* to) {
  *to << v.op << " " << v.name << " " << name_of(v.dtype);
}

namespace test {
namespace {

template <class T>
Cases cases_of(const VariantInfo& v) {
  const auto ops = ops_for<T>(v.device, {{std::string(v.op), std::string(v.name)}});
  if (v.op == "embedding") return embedding_cases(ops);
  if (v.op == "layer_norm") return layer_norm_cases(ops);
  if (v.op == "linear") return linear_cases(ops);
  if (v.op == "gelu") return gelu_cases(ops);
  if (v.op == "dropout") return dropout_cases(ops);
  if (v.op == "softmax") return softmax_cases(ops);
  if (v.op == "attention") return attention_cases(ops);
  if (v.op == "cross_entropy") return cross_entropy_cases(ops);
  if (v.op == "convert") return convert_cases(ops);
  if (v.op == "elementwise") return elementwise_cases(ops);
  if (v.op == "adamw") return adamw_cases(ops);
  return {};
}

// The outputs of one call, each between its sentinels.
class Outputs {
 public:
  explicit Outputs(const OpCase& c) {
    for (const auto& o : c.outputs) {
      if (o.before.empty()) {
        memory_.emplace_back(o.dtype, o.size);
      } else {
        memory_.emplace_back(o.dtype, o.before);
      }
    }
  }
  Addresses addresses() {
    Addresses out;
    for (auto& m : memory_) out.push_back({m.data()});
    return out;
  }
  std::vector<double> values(size_t i) const { return memory_[i].values(); }
  bool guards_intact() const {
    for (const auto& m : memory_) {
      if (!m.guards_intact()) return false;
    }
    return true;
  }
  bool same_bits_as(const Outputs& other) const {
    for (size_t i = 0; i < memory_.size(); ++i) {
      if (!same_bits(memory_[i].bytes(), other.memory_[i].bytes())) return false;
    }
    return true;
  }

 private:
  std::vector<Guarded> memory_;
};

Outputs run_kernel(const OpCase& c, int threads) {
  Cpu cpu(threads);
  Outputs out(c);
  c.kernel(cpu.context(), out.addresses());
  return out;
}

void expect_agreement(const OpCase& c) {
  Outputs want(c);
  c.reference(want.addresses());
  for (const int threads : {1, 2, 3}) {
    const auto got = run_kernel(c, threads);
    EXPECT_TRUE(got.guards_intact()) << c.name << ": wrote outside, threads " << threads;
    for (size_t i = 0; i < c.outputs.size(); ++i) {
      const Output& output = c.outputs[i];
      if (!output.compared) continue;
      EXPECT_LE(error_of(got.values(i), want.values(i)),
                std::isnan(output.tolerance) ? c.tolerance : output.tolerance)
          << c.name << ", output " << i << ", threads " << threads;
    }
    EXPECT_TRUE(got.same_bits_as(run_kernel(c, threads)))
        << c.name << ": other bits the second time, threads " << threads;
  }
}

// Two ranks of one thread each in one process, in step with each other.
void expect_two_at_once(const OpCase& c) {
  const auto alone = run_kernel(c, 1);
  int different[2] = {0, 0};
  const auto repeat = [&](int* count) {
    for (int i = 0; i < 5; ++i) *count += run_kernel(c, 1).same_bits_as(alone) ? 0 : 1;
  };
  std::thread other(repeat, &different[0]);
  repeat(&different[1]);
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
    if (v.dtype == DType::f32) run(cases_of<float>(v));
    if (v.dtype == DType::f64) run(cases_of<double>(v));
    if (v.dtype == DType::bf16) run(cases_of<bfloat16>(v));
    EXPECT_GT(count, 0u) << "no cases for op " << v.op << " in " << name_of(v.dtype);
  }
};

TEST_P(EveryVariant, AgreesWithItsReference) {
  for_each_case([](const auto& c) { expect_agreement(c); });
}

TEST_P(EveryVariant, RunsOnTwoThreadsAtOnce) {
  for_each_case([](const auto& c) { expect_two_at_once(c); });
}

INSTANTIATE_TEST_SUITE_P(Cpu, EveryVariant, testing::ValuesIn(list_variants()), [](const auto& p) {
  return fmt::format("{}_{}_{}", p.param.op, p.param.name, name_of(p.param.dtype));
});

}  // namespace
}  // namespace test
}  // namespace bench::kernels
