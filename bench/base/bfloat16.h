#pragma once
// bfloat16: the upper half of a float. A type to store numbers in; arithmetic is done in float.

#include <bit>
#include <cstdint>
#include <limits>

#include "bench/base/dtype.h"

namespace bench {

// Rounded to the nearest, ties to even; a NaN stays one.
constexpr uint16_t float_to_bf16(float value) {
  const auto bits = std::bit_cast<uint32_t>(value);
  if (value != value) return static_cast<uint16_t>((bits >> 16) | 0x40);
  return static_cast<uint16_t>((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
}

constexpr float bf16_to_float(uint16_t bits) {
  return std::bit_cast<float>(static_cast<uint32_t>(bits) << 16);
}

struct bfloat16 {
  uint16_t bits = 0;

  bfloat16() = default;
  constexpr explicit bfloat16(float value) : bits(float_to_bf16(value)) {}
  constexpr explicit bfloat16(double value) : bfloat16(static_cast<float>(value)) {}
  constexpr explicit bfloat16(int value) : bfloat16(static_cast<float>(value)) {}
  constexpr operator float() const { return bf16_to_float(bits); }
};
static_assert(sizeof(bfloat16) == 2);

template <>
constexpr DType dtype_of<bfloat16>() {
  return DType::bf16;
}

}  // namespace bench
