#include "tests/comm/elements.h"

#include <fmt/format.h>

#include <cstring>
#include <stdexcept>

#include "bench/base/bfloat16.h"

namespace bench::comm_checks {
namespace {

template <class T>
void store(void* to, T value) {
  std::memcpy(to, &value, sizeof value);
}

template <class T>
T load(const void* from) {
  T value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

}  // namespace

void Elements::set(int64_t i, double value) {
  switch (dtype_) {
    case DType::f32: return store(at(i), static_cast<float>(value));
    case DType::bf16: return store(at(i), float_to_bf16(static_cast<float>(value)));
    case DType::f64: return store(at(i), value);
    case DType::i32: return store(at(i), static_cast<int32_t>(value));
    case DType::i64: return store(at(i), static_cast<int64_t>(value));
    case DType::u8: return store(at(i), static_cast<uint8_t>(value));
    case DType::u64: return store(at(i), static_cast<uint64_t>(value));
  }
}

double Elements::get(int64_t i) const {
  const unsigned char* at = bytes_.data() + static_cast<size_t>(i) * size_of(dtype_);
  switch (dtype_) {
    case DType::f32: return load<float>(at);
    case DType::bf16: return bf16_to_float(load<uint16_t>(at));
    case DType::f64: return load<double>(at);
    case DType::i32: return load<int32_t>(at);
    case DType::i64: return static_cast<double>(load<int64_t>(at));
    case DType::u8: return load<uint8_t>(at);
    case DType::u64: return static_cast<double>(load<uint64_t>(at));
  }
  return 0;
}

void fail_element(std::string_view what, const Elements& got, int64_t i, double want) {
  throw std::runtime_error(fmt::format("{} of {} {}: element {} is {}, should be {}", what,
                                       got.count(), name_of(got.dtype()), i, got.get(i), want));
}

}  // namespace bench::comm_checks
