#include "parallel/comm/reduce.h"

#include <algorithm>
#include <stdexcept>

#include "bench/base/bfloat16.h"

namespace bench {
namespace {

template <class T>
void reduce_typed(T* into, const T* from, int64_t count, ReduceOp op) {
  switch (op) {
    case ReduceOp::sum:
      for (int64_t i = 0; i < count; ++i) into[i] = static_cast<T>(into[i] + from[i]);
      return;
    case ReduceOp::max:
      for (int64_t i = 0; i < count; ++i) into[i] = std::max(into[i], from[i]);
      return;
    case ReduceOp::min:
      for (int64_t i = 0; i < count; ++i) into[i] = std::min(into[i], from[i]);
      return;
  }
}

void reduce_bf16(uint16_t* into, const uint16_t* from, int64_t count, ReduceOp op) {
  for (int64_t i = 0; i < count; ++i) {
    float value = bf16_to_float(into[i]);
    const float other = bf16_to_float(from[i]);
    reduce_typed(&value, &other, 1, op);
    into[i] = float_to_bf16(value);
  }
}

}  // namespace

void reduce_into(void* into, const void* from, int64_t count, DType dtype, ReduceOp op) {
  const auto typed = [&]<class T>(T*) {
    reduce_typed(static_cast<T*>(into), static_cast<const T*>(from), count, op);
  };
  switch (dtype) {
    case DType::f32: return typed(static_cast<float*>(nullptr));
    case DType::f64: return typed(static_cast<double*>(nullptr));
    case DType::i32: return typed(static_cast<int32_t*>(nullptr));
    case DType::i64: return typed(static_cast<int64_t*>(nullptr));
    case DType::u8: return typed(static_cast<uint8_t*>(nullptr));
    case DType::u64: return typed(static_cast<uint64_t*>(nullptr));
    case DType::bf16:
      return reduce_bf16(static_cast<uint16_t*>(into), static_cast<const uint16_t*>(from), count,
                         op);
  }
  throw std::invalid_argument("reduce: unknown element type");
}

}  // namespace bench
