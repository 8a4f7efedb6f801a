#include "parallel/comm/reduce.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>

#include "bench/base/bfloat16.h"

namespace bench {
namespace {

TEST(Bf16, EveryFiniteValueSurvivesTheWayThroughFloat) {
  for (uint32_t bits = 0; bits <= 0xffff; ++bits) {
    const auto b = static_cast<uint16_t>(bits);
    if (std::isnan(bf16_to_float(b))) continue;
    ASSERT_EQ(float_to_bf16(bf16_to_float(b)), b);
  }
}

TEST(Bf16, RoundsToNearestAndTiesToEven) {
  // bf16 has 8 significant bits: between 256 and 512 it holds the even numbers.
  EXPECT_EQ(bf16_to_float(float_to_bf16(257.0F)), 256.0F);
  EXPECT_EQ(bf16_to_float(float_to_bf16(259.0F)), 260.0F);
  EXPECT_EQ(bf16_to_float(float_to_bf16(257.001F)), 258.0F);
  EXPECT_EQ(bf16_to_float(float_to_bf16(-258.999F)), -258.0F);
}

TEST(Bf16, KeepsWhatIsNotFinite) {
  const float inf = std::numeric_limits<float>::infinity();
  EXPECT_EQ(bf16_to_float(float_to_bf16(inf)), inf);
  EXPECT_EQ(bf16_to_float(float_to_bf16(-inf)), -inf);
  // All payload bits below those that bf16 keeps: must not become infinity.
  EXPECT_TRUE(std::isnan(bf16_to_float(float_to_bf16(std::bit_cast<float>(0x7f800001U)))));
  EXPECT_EQ(bf16_to_float(float_to_bf16(std::numeric_limits<float>::max())), inf);
}

TEST(ReduceInto, AddsBf16WithTheBitsOfF32) {
  // 1 + 2^-8 + 2^-9, added as bf16 bits would be garbage; as f32 it is rounded once, upwards.
  uint16_t into = float_to_bf16(1.0F);
  const uint16_t from = float_to_bf16(0.00390625F + 0.001953125F);
  reduce_into(&into, &from, 1, DType::bf16, ReduceOp::sum);
  EXPECT_EQ(bf16_to_float(into), 1.0078125F);
}

TEST(ReduceInto, ComparesUnsignedTypesAsUnsigned) {
  uint8_t byte = 1;
  const uint8_t large = 200;
  reduce_into(&byte, &large, 1, DType::u8, ReduceOp::max);
  EXPECT_EQ(byte, 200);
  uint64_t word = 1;
  const uint64_t larger = uint64_t{1} << 63;
  reduce_into(&word, &larger, 1, DType::u64, ReduceOp::max);
  EXPECT_EQ(word, larger);
}

}  // namespace
}  // namespace bench
