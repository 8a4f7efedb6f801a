#pragma once
// Element types, as the ABI numbers them.

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace bench {

enum class DType : int32_t { f32 = 0, bf16 = 1, f64 = 2, i32 = 3, i64 = 4, u8 = 5, u64 = 6 };

constexpr size_t size_of(DType t) {
  switch (t) {
    case DType::bf16: return 2;
    case DType::f32:
    case DType::i32: return 4;
    case DType::u8: return 1;
    default: return 8;
  }
}

constexpr std::string_view name_of(DType t) {
  switch (t) {
    case DType::f32: return "f32";
    case DType::bf16: return "bf16";
    case DType::f64: return "f64";
    case DType::i32: return "i32";
    case DType::i64: return "i64";
    case DType::u8: return "u8";
    case DType::u64: return "u64";
  }
  return "unknown";
}

template <class T>
constexpr DType dtype_of();
template <>
constexpr DType dtype_of<float>() {
  return DType::f32;
}
template <>
constexpr DType dtype_of<double>() {
  return DType::f64;
}
template <>
constexpr DType dtype_of<int32_t>() {
  return DType::i32;
}
template <>
constexpr DType dtype_of<int64_t>() {
  return DType::i64;
}
template <>
constexpr DType dtype_of<uint8_t>() {
  return DType::u8;
}
template <>
constexpr DType dtype_of<uint64_t>() {
  return DType::u64;
}

}  // namespace bench
