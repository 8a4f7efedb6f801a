#include <gtest/gtest.h>

#include <set>
#include <string>

#include "bench/base/status.h"
#include "bench/device/buffer.h"
#include "kernels/ceiling/op.h"
#include "kernels/linear/op.h"
#include "tests/kernels/support.h"

namespace bench::kernels::test {
namespace {

TEST(GemmCeiling, HasSeveralLargeShapesWithNamesOfTheirOwn) {
  for (const DType dtype : {DType::f32, DType::bf16}) {
    std::set<std::string_view> names;
    for (const auto& s : gemm_ceiling_shapes(dtype)) {
      EXPECT_GE(s.flops(), 1e9) << s.name;
      EXPECT_EQ(s.dtype, dtype) << s.name;
      names.insert(s.name);
    }
    EXPECT_EQ(names.size(), gemm_ceiling_shapes(dtype).size());
    EXPECT_GE(names.size(), 6u);
  }
}

class GemmWays : public testing::TestWithParam<std::tuple<GemmWay, DType, bool, bool>> {};

TEST_P(GemmWays, ComputeTheProduct) {
  const auto [way, dtype, transpose_a, transpose_b] = GetParam();
  if (dtype == DType::bf16 && way != GemmWay::kPacked &&
      (way == GemmWay::kSgemm || cpu::onednn_bf16_arithmetic().empty()))
    GTEST_SKIP() << "no such product in bf16 here";
  const GemmShape shape{.name = "odd",
                        .m = 65,
                        .n = 127,
                        .k = 33,
                        .transpose_a = transpose_a,
                        .transpose_b = transpose_b,
                        .way = way,
                        .dtype = dtype};
  Cpu device(2);
  cpu::GemmCeiling gemm(device.context(), shape);
  gemm.run(device.context());
  gemm.run(device.context());
  std::vector<float> want(gemm.c().size());
  reference_gemm(shape, gemm.a().data(), gemm.b().data(), want.data());
  EXPECT_LE(error_of<float>(gemm.c(), want), gemm_tolerance(shape));
}

INSTANTIATE_TEST_SUITE_P(All, GemmWays,
                         testing::Combine(testing::Values(GemmWay::kMatmul, GemmWay::kPrepared,
                                                          GemmWay::kSgemm, GemmWay::kPacked),
                                          testing::Values(DType::f32, DType::bf16), testing::Bool(),
                                          testing::Bool()));

class Streams : public testing::TestWithParam<std::tuple<StreamKind, bool>> {};

TEST_P(Streams, DoWhatTheReferenceDoes) {
  const auto [kind, non_temporal] = GetParam();
  for (const int64_t size : {1, 3, 127, 1023, 200001}) {
    Cpu device(2);
    CpuDevice memory(1);
    const auto a = random_values<float>(size, 1), b = random_values<float>(size, 2);
    Buffer<float> c(memory, size);
    std::vector<float> want(size);
    double got_sum = -1, want_sum = -1;
    StreamPass pass{.kind = kind,
                    .non_temporal = non_temporal,
                    .size = size,
                    .a = a.data(),
                    .b = b.data(),
                    .c = c.data(),
                    .sum = &got_sum};
    cpu::stream(device.context(), pass);
    pass.c = want.data();
    pass.sum = &want_sum;
    reference_stream(pass);
    if (kind == StreamKind::kRead) {
      EXPECT_NEAR(got_sum, want_sum, stream_tolerance(size) * static_cast<double>(size));
    } else {
      const std::span<const float> got(c.data(), static_cast<size_t>(size));
      EXPECT_LE(error_of<float>(got, want), kElementTolerance<float>) << size;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, Streams,
                         testing::Combine(testing::Values(StreamKind::kRead, StreamKind::kCopy,
                                                          StreamKind::kTriad),
                                          testing::Bool()));

TEST(StreamPass, CountsTheBytesItNames) {
  const StreamPass triad{.kind = StreamKind::kTriad,
                         .non_temporal = true,
                         .size = 100,
                         .a = nullptr,
                         .b = nullptr,
                         .c = nullptr};
  EXPECT_EQ(triad.bytes(), 1200);
}

TEST(StreamPass, RefusesNonTemporalStoresOutOfLine) {
  Cpu device(1);
  alignas(64) float memory[64] = {};
  EXPECT_THROW(cpu::stream(device.context(), {.kind = StreamKind::kCopy,
                                              .non_temporal = true,
                                              .size = 16,
                                              .a = memory + 32,
                                              .b = nullptr,
                                              .c = memory + 1}),
               UsageError);
}

}  // namespace
}  // namespace bench::kernels::test
