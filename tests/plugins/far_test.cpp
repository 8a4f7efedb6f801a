// The cases of ops where the host cannot follow the device's pointers, as on a GPU: filling and
// checking go through copies, or this crashes.
#include <gtest/gtest.h>

#include <functional>

#include "bench/device/context.h"
#include "parallel/comm/self/self_communicator.h"
#include "plugins/kernels/ceiling_cases.h"
#include "plugins/kernels/op_case.h"
#include "tests/kernels/far_device.h"

namespace bench::kernel_cases {
namespace {
using kernels::test::far_ops;
using kernels::test::FarDevice;
using kernels::test::to_near;

sdk::Request tiny_request(const char* dtype) {
  const bench_param options[] = {{.key = "model",
                                  .text = "layers=2,hidden=48,heads=4,seq=16,vocab=300",
                                  .kind = BENCH_PARAM_TEXT},
                                 {.key = "micro-batch", .text = "2", .kind = BENCH_PARAM_TEXT}};
  return sdk::Request(bench_request{.size = sizeof(bench_request),
                                    .suite = "test",
                                    .set = "",
                                    .device = "cpu",
                                    .dtype = dtype,
                                    .ranks = 1,
                                    .threads = 1,
                                    .seed = 7,
                                    .last_level_cache_bytes = 1 << 16,
                                    .options = options,
                                    .option_count = std::size(options)});
}

// Of every case a check of the first iteration and one after more.
void expect_to_pass(const std::vector<sdk::Case>& cases) {
  FarDevice device(1);
  NullTracer tracer;
  const Context context{.device = device, .tracer = tracer};
  SelfCommunicator comm;
  EXPECT_FALSE(cases.empty());
  for (const sdk::Case& c : cases) {
    const auto open = c.open({context, comm});
    for (const int64_t times : {1, 3}) {
      open->enqueue(times);
      const sdk::Check found = open->check();
      EXPECT_TRUE(found.passed) << c.name << ": " << found.error << " " << found.detail;
    }
  }
}

template <class T>
void expect_ops_to_pass(const char* dtype) {
  const OpSetting<T> s{
      read_setting(tiny_request(dtype), ""),
      std::make_shared<kernels::Ops<T>>(far_ops(kernels::ops_for<T>(DeviceKind::cpu)))};
  CaseList all;
  add_linear_cases(s, all);
  add_attention_cases(s, all);
  add_softmax_cases(s, all);
  add_norm_cases(s, all);
  add_pointwise_cases(s, all);
  add_vocabulary_cases(s, all);
  add_optimizer_cases(s, all);
  expect_to_pass(all);
}

TEST(FarCases, OfOpsPassTheirChecks) {
  expect_ops_to_pass<float>("f32");
  expect_ops_to_pass<bfloat16>("bf16");
}

TEST(FarCases, OfCeilingsPassTheirChecks) { expect_to_pass(ceiling_cases(tiny_request("f32"))); }

// More than a tile of values, so that they recur.
TEST(FarMemory, RepeatsValuesToTheEnd) {
  FarDevice device(1);
  NullTracer tracer;
  const Context context{.device = device, .tracer = tracer};
  constexpr int64_t kTile = 4194301, kSize = 3 * kTile + 5;
  Memory memory(&context, 3);
  const float* const values = to_near(memory.uniform<float>(kSize));
  int64_t different = 0;
  for (int64_t i = kTile; i < kSize; ++i) different += values[i] != values[i - kTile];
  EXPECT_EQ(different, 0);
  EXPECT_NE(values[0], values[1]);
  EXPECT_EQ(memory.bytes(), kSize * 4);
}

}  // namespace
}  // namespace bench::kernel_cases
