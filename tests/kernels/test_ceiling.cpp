#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <string>
#include <string_view>

#include "bench/base/status.h"
#include "kernels/ceiling/op.h"
#include "kernels/dropout/op.h"
#include "tests/kernels/sites.h"
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
  GemmShape shape{.name = "odd",
                  .m = 65,
                  .n = 127,
                  .k = 33,
                  .transpose_a = transpose_a,
                  .transpose_b = transpose_b,
                  .way = way,
                  .dtype = dtype};
  for (const TestedSite& at : tested_sites()) {
    // A library for GPUs may want rows of whole 16 bytes; no ceiling has others.
    if (!at.site->on_host()) shape.m = 72, shape.n = 136, shape.k = 40;
    GemmCeiling gemm(at.site->context(), shape);
    gemm.run(at.site->context());
    gemm.run(at.site->context());
    std::vector<float> want(gemm.c().size());
    reference_gemm(shape, gemm.a().data(), gemm.b().data(), want.data());
    EXPECT_LE(error_of<float>(gemm.c(), want), gemm_tolerance(shape)) << at.name;
  }
}

INSTANTIATE_TEST_SUITE_P(All, GemmWays,
                         testing::Combine(testing::ValuesIn(gemm_ways(DType::f32)),
                                          testing::Values(DType::f32, DType::bf16), testing::Bool(),
                                          testing::Bool()));

class Streams : public testing::TestWithParam<std::tuple<StreamKind, bool>> {};

void expect_stream(Site& site, StreamKind kind, bool non_temporal, int64_t size) {
  const auto a = random_values<float>(size, 1), b = random_values<float>(size, 2);
  OnDevice<float> a_there(site, a), b_there(site, b), c_there(site, std::vector<float>(size));
  OnDevice<double> sum_there(site, {-1});
  std::vector<float> want(size);
  double want_sum = -1;
  StreamPass pass{.kind = kind,
                  .non_temporal = non_temporal,
                  .size = size,
                  .a = a_there.data(),
                  .b = b_there.data(),
                  .c = c_there.data(),
                  .sum = sum_there.data()};
  stream(site.context(), pass);
  pass.a = a.data(), pass.b = b.data(), pass.c = want.data(), pass.sum = &want_sum;
  reference_stream(pass);
  if (kind == StreamKind::kRead) {
    EXPECT_NEAR(sum_there.values()[0], want_sum,
                stream_tolerance(size) * static_cast<double>(size));
  } else {
    EXPECT_LE(error_of<float>(c_there.values(), want), kElementTolerance<float>) << size;
  }
}

TEST_P(Streams, DoWhatTheReferenceDoes) {
  const auto [kind, non_temporal] = GetParam();
  for (const TestedSite& at : tested_sites()) {
    SCOPED_TRACE(at.name);
    for (const int64_t size : {1, 3, 127, 1023, 200001})
      expect_stream(*at.site, kind, non_temporal, size);
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
  Site& site = *tested_sites().front().site;
  OnDevice<float> memory(site, std::vector<float>(64));
  EXPECT_THROW(stream(site.context(), {.kind = StreamKind::kCopy,
                                       .non_temporal = true,
                                       .size = 16,
                                       .a = memory.data() + 32,
                                       .b = nullptr,
                                       .c = memory.data() + 1}),
               UsageError);
}

void expect_pattern(Site& site, const StreamPattern& pattern, bool non_temporal, int64_t size) {
  std::vector<OnDevice<float>> got_arrays;
  std::vector<std::vector<float>> want_arrays;
  PatternPass got{pattern, non_temporal, size, {}, {}}, want = got;
  // In place the outputs are the first inputs, else they follow them.
  const int arrays = pattern.reads + (pattern.in_place ? 0 : pattern.writes);
  for (int k = 0; k < arrays; ++k) {
    want_arrays.push_back(random_values<float>(size, static_cast<uint32_t>(k + 1)));
    got_arrays.emplace_back(site, want_arrays[k]);
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
  pattern_stream(site.context(), got);
  reference_pattern_stream(want);
  for (int k = 0; k < arrays; ++k) {
    EXPECT_LE(error_of<float>(got_arrays[k].values(), want_arrays[k]), kElementTolerance<float>)
        << pattern.name << " " << size << ", array " << k;
  }
}

TEST(PatternStreams, DoWhatTheReferenceDoes) {
  for (const TestedSite& at : tested_sites()) {
    SCOPED_TRACE(at.name);
    for (const auto& pattern : kStreamPatterns) {
      for (const int64_t size : {1, 17, 1023, 20001}) {
        expect_pattern(*at.site, pattern, false, size);
        if (!pattern.in_place) expect_pattern(*at.site, pattern, true, size);
      }
    }
  }
}

TEST(PatternStreams, RefuseOnesThatAreNotThere) {
  const Context context = tested_sites().front().site->context();
  EXPECT_THROW(pattern_stream(context, {{"r4w1", 4, 1, false}, false, 16, {}, {}}), UsageError);
}

TEST(Arithmetic, ExponentialsAreRight) {
  const auto x = random_values<float>(kArithmeticBlock, 1);
  std::vector<float> want;
  for (const float v : x) want.push_back(std::exp(v));
  for (const TestedSite& at : tested_sites()) {
    const int64_t parts = arithmetic_parts(at.site->context());
    OnDevice<float> x_there(*at.site, x), y(*at.site, std::vector<float>(parts * kArithmeticBlock));
    exponentials(at.site->context(),
                 {.size = (2 * parts + 1) * kArithmeticBlock, .x = x_there.data(), .y = y.data()});
    const std::vector<float> got = y.values();
    for (int64_t part = 0; part < parts; ++part) {
      const std::span<const float> block(got.data() + part * kArithmeticBlock, kArithmeticBlock);
      EXPECT_LE(error_of<float>(block, want), kElementTolerance<float>)
          << at.name << ", part " << part;
    }
  }
}

TEST(Arithmetic, RandomNumbersAreThoseOfDropout) {
  for (const TestedSite& at : tested_sites()) {
    const int64_t parts = arithmetic_parts(at.site->context()), size = parts * kArithmeticBlock;
    OnDevice<uint16_t> bits(*at.site, std::vector<uint16_t>(size));
    random_numbers(at.site->context(), {.size = 2 * size, .seed = 3, .bits = bits.data()});
    const std::vector<uint16_t> got = bits.values();
    for (int64_t i = 0; i < size; ++i) {
      // Two blocks a part, of which the second is there.
      const int64_t part = i / kArithmeticBlock, position = i + (part + 1) * kArithmeticBlock;
      ASSERT_EQ(got[i], dropout_bits(3, static_cast<uint64_t>(position))) << at.name << " " << i;
    }
  }
}

}  // namespace
}  // namespace bench::kernels::test
