#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <string>
#include <string_view>

#include "bench/base/status.h"
#include "bench/device/buffer.h"
#include "kernels/ceiling/op.h"
#include "kernels/dropout/op.h"
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

class GemmWays : public testing::TestWithParam<std::tuple<std::string_view, DType, bool, bool>> {};

TEST_P(GemmWays, ComputeTheProduct) {
  const auto [way, dtype, transpose_a, transpose_b] = GetParam();
  const auto ways = gemm_ways(dtype);
  if (std::find(ways.begin(), ways.end(), way) == ways.end())
    GTEST_SKIP() << "no such product in " << name_of(dtype) << " here";
  const GemmShape shape{.name = "odd",
                        .m = 65,
                        .n = 127,
                        .k = 33,
                        .transpose_a = transpose_a,
                        .transpose_b = transpose_b,
                        .way = way,
                        .dtype = dtype};
  Cpu device(2);
  GemmCeiling gemm(device.context(), shape);
  gemm.run(device.context());
  gemm.run(device.context());
  std::vector<float> want(gemm.c().size());
  reference_gemm(shape, gemm.a().data(), gemm.b().data(), want.data());
  EXPECT_LE(error_of<float>(gemm.c(), want), gemm_tolerance(shape));
}

INSTANTIATE_TEST_SUITE_P(All, GemmWays,
                         testing::Combine(testing::ValuesIn(gemm_ways(DType::f32)),
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
    stream(device.context(), pass);
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
  EXPECT_THROW(stream(device.context(), {.kind = StreamKind::kCopy,
                                         .non_temporal = true,
                                         .size = 16,
                                         .a = memory + 32,
                                         .b = nullptr,
                                         .c = memory + 1}),
               UsageError);
}

void expect_pattern(const StreamPattern& pattern, bool non_temporal, int64_t size) {
  Cpu device(2);
  CpuDevice memory(1);
  std::vector<Buffer<float>> got_arrays;
  std::vector<std::vector<float>> want_arrays;
  PatternPass got{pattern, non_temporal, size, {}, {}}, want = got;
  // In place the outputs are the first inputs, else they follow them.
  const int arrays = pattern.reads + (pattern.in_place ? 0 : pattern.writes);
  for (int k = 0; k < arrays; ++k) {
    want_arrays.push_back(random_values<float>(size, static_cast<uint32_t>(k + 1)));
    got_arrays.emplace_back(memory, size);
    std::copy(want_arrays[k].begin(), want_arrays[k].end(), got_arrays[k].data());
  }
  for (int k = 0; k < pattern.reads; ++k) {
    got.in[k] = got_arrays[k].data();
    want.in[k] = want_arrays[k].data();
  }
  for (int k = 0; k < pattern.writes; ++k) {
    const int at = pattern.in_place ? k : pattern.reads + k;
    got.out[k] = got_arrays[at].data();
    want.out[k] = want_arrays[at].data();
  }
  pattern_stream(device.context(), got);
  reference_pattern_stream(want);
  for (int k = 0; k < arrays; ++k) {
    const std::span<const float> values(got_arrays[k].data(), static_cast<size_t>(size));
    EXPECT_LE(error_of<float>(values, want_arrays[k]), kElementTolerance<float>)
        << pattern.name << " " << size << ", array " << k;
  }
}

TEST(PatternStreams, DoWhatTheReferenceDoes) {
  for (const auto& pattern : kStreamPatterns) {
    for (const int64_t size : {1, 17, 1023, 20001}) {
      expect_pattern(pattern, false, size);
      if (!pattern.in_place) expect_pattern(pattern, true, size);
    }
  }
}

TEST(PatternStreams, RefuseOnesThatAreNotThere) {
  Cpu device(1);
  EXPECT_THROW(pattern_stream(device.context(), {{"r4w1", 4, 1, false}, false, 16, {}, {}}),
               UsageError);
}

TEST(Arithmetic, ExponentialsAreRight) {
  Cpu device(2);
  const auto x = random_values<float>(kArithmeticBlock, 1);
  std::vector<float> y(2 * kArithmeticBlock), want;
  exponentials(device.context(), {.size = 5 * kArithmeticBlock, .x = x.data(), .y = y.data()});
  for (const float v : x) want.push_back(std::exp(v));
  const std::span<const float> got(y);
  for (const size_t thread : {0, 1}) {
    EXPECT_LE(error_of<float>(got.subspan(thread * kArithmeticBlock, kArithmeticBlock), want),
              kElementTolerance<float>);
  }
}

TEST(Arithmetic, RandomNumbersAreThoseOfDropout) {
  Cpu device(2);
  std::vector<uint16_t> bits(2 * kArithmeticBlock);
  random_numbers(device.context(), {.size = 4 * kArithmeticBlock, .seed = 3, .bits = bits.data()});
  for (int64_t i = 0; i < 2 * kArithmeticBlock; ++i) {
    // The threads' last blocks are the second and the fourth.
    const int64_t position = i < kArithmeticBlock ? i + kArithmeticBlock : i + 2 * kArithmeticBlock;
    ASSERT_EQ(bits[i], dropout_bits(3, static_cast<uint64_t>(position))) << i;
  }
}

}  // namespace
}  // namespace bench::kernels::test
