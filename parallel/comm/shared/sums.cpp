#include "parallel/comm/shared/sums.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

#include "bench/base/bfloat16.h"
#include "parallel/comm/reduce.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace bench::shared {
namespace {

// Sums of so many elements stay in the nearest cache while operand after operand is added.
constexpr int64_t kBlock = 1024;

template <class T, class Combine>
void combine_two(T* out, const T* a, const T* b, int64_t count, Combine combine) {
  for (int64_t i = 0; i < count; ++i) out[i] = combine(a[i], b[i]);
}

template <class T>
void reduce_two(T* out, const T* a, const T* b, int64_t count, ReduceOp op) {
  switch (op) {
    case ReduceOp::sum:
      return combine_two(out, a, b, count, [](T x, T y) { return static_cast<T>(x + y); });
    case ReduceOp::max:
      return combine_two(out, a, b, count, [](T x, T y) { return x < y ? y : x; });
    case ReduceOp::min:
      return combine_two(out, a, b, count, [](T x, T y) { return y < x ? y : x; });
  }
}

template <class T>
void reduce_typed(T* out, std::span<const void* const> from, int64_t count, ReduceOp op) {
  std::array<T, kBlock> sum;
  for (int64_t first = 0; first < count; first += kBlock) {
    const int64_t n = std::min(kBlock, count - first);
    const auto operand = [&](size_t k) { return static_cast<const T*>(from[k]) + first; };
    if (from.size() == 2) {
      reduce_two(out + first, operand(0), operand(1), n, op);
      continue;
    }
    std::copy_n(operand(0), n, sum.data());
    for (size_t k = 1; k < from.size(); ++k) reduce_two(sum.data(), sum.data(), operand(k), n, op);
    std::copy_n(sum.data(), n, out + first);
  }
}

void widen(float* out, const void* from, int64_t first, int64_t count) {
  const uint16_t* values = static_cast<const uint16_t*>(from) + first;
  for (int64_t i = 0; i < count; ++i) out[i] = bf16_to_float(values[i]);
}

void reduce_bf16(uint16_t* out, std::span<const void* const> from, int64_t count, ReduceOp op) {
  std::array<float, kBlock> sum, next;
  for (int64_t first = 0; first < count; first += kBlock) {
    const int64_t n = std::min(kBlock, count - first);
    widen(sum.data(), from[0], first, n);
    for (size_t k = 1; k < from.size(); ++k) {
      widen(next.data(), from[k], first, n);
      reduce_two(sum.data(), sum.data(), next.data(), n, op);
    }
    for (int64_t i = 0; i < n; ++i) out[first + i] = float_to_bf16(sum[static_cast<size_t>(i)]);
  }
}

}  // namespace

void reduce_all(void* out, std::span<const void* const> from, int64_t count, DType dtype,
                ReduceOp op) {
  if (dtype == DType::f32) return reduce_typed(static_cast<float*>(out), from, count, op);
  if (dtype == DType::f64) return reduce_typed(static_cast<double*>(out), from, count, op);
  if (dtype == DType::bf16) return reduce_bf16(static_cast<uint16_t*>(out), from, count, op);
  // Rare, small.
  const size_t bytes = static_cast<size_t>(count) * size_of(dtype);
  std::vector<unsigned char> sum(bytes);
  if (bytes == 0) return;
  std::memcpy(sum.data(), from[0], bytes);
  for (size_t k = 1; k < from.size(); ++k) reduce_into(sum.data(), from[k], count, dtype, op);
  std::memcpy(out, sum.data(), bytes);
}

void copy_past_caches(void* to, const void* from, size_t bytes) {
#if defined(__SSE2__)
  auto* out = static_cast<unsigned char*>(to);
  const auto* in = static_cast<const unsigned char*>(from);
  const size_t head = std::min(bytes, (16 - reinterpret_cast<uintptr_t>(out) % 16) % 16);
  std::memcpy(out, in, head);
  size_t i = head;
  for (; i + 64 <= bytes; i += 64) {
    const auto* lanes = reinterpret_cast<const __m128i*>(in + i);
    auto* places = reinterpret_cast<__m128i*>(out + i);
    const __m128i a = _mm_loadu_si128(lanes), b = _mm_loadu_si128(lanes + 1),
                  c = _mm_loadu_si128(lanes + 2), d = _mm_loadu_si128(lanes + 3);
    _mm_stream_si128(places, a);
    _mm_stream_si128(places + 1, b);
    _mm_stream_si128(places + 2, c);
    _mm_stream_si128(places + 3, d);
  }
  std::memcpy(out + i, in + i, bytes - i);
  _mm_sfence();  // in order before whatever tells others that it is there
#else
  std::memcpy(to, from, bytes);
#endif
}

}  // namespace bench::shared
