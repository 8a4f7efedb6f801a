#include "tests/kernels/support.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>

#include "kernels/args.h"

namespace bench::kernels::test {
namespace {

constexpr std::byte kSentinel{0xa5};

// Calls f with a pointer of the element type.
template <class F>
void with_type(DType dtype, void* memory, F f) {
  switch (dtype) {
    case DType::f32: return f(static_cast<float*>(memory));
    case DType::f64: return f(static_cast<double*>(memory));
    case DType::bf16: return f(static_cast<bfloat16*>(memory));
    default: return f(static_cast<uint8_t*>(memory));
  }
}

}  // namespace

template <class T>
std::vector<T> random_values(int64_t size, uint32_t seed) {
  std::mt19937 bits(seed);
  std::uniform_real_distribution<Wide<T>> uniform(-1, 1);
  std::vector<T> out(size);
  for (T& x : out) x = T(uniform(bits));
  return out;
}

std::vector<int32_t> random_ids(int64_t size, int32_t low, int32_t high, uint32_t seed) {
  std::mt19937 bits(seed);
  std::uniform_int_distribution<int32_t> uniform(low, high - 1);
  std::vector<int32_t> out(size);
  for (int32_t& x : out) x = uniform(bits);
  return out;
}

Guarded::Guarded(DType dtype, int64_t size)
    : dtype_(dtype),
      size_bytes_(static_cast<size_t>(size) * size_of(dtype)),
      lines_(size_bytes_ / sizeof(Line) + 1 + 2 * kGuardLines) {
  std::memset(lines_.data(), static_cast<int>(kSentinel), lines_.size() * sizeof(Line));
  std::memset(data(), 0xff, size_bytes_);  // NaN in any type
}

Guarded::Guarded(DType dtype, const std::vector<double>& content)
    : Guarded(dtype, static_cast<int64_t>(content.size())) {
  with_type(dtype, data(), [&]<class T>(T* to) {
    for (size_t i = 0; i < content.size(); ++i) to[i] = static_cast<T>(content[i]);
  });
}

std::vector<double> Guarded::values() const {
  std::vector<double> out(bytes().size() / size_of(dtype_));
  with_type(dtype_, const_cast<std::byte*>(bytes().data()),
            [&]<class T>(const T* from) { std::copy_n(from, out.size(), out.begin()); });
  return out;
}

bool Guarded::guards_intact() const {
  const auto intact = [](std::byte x) { return x == kSentinel; };
  const std::byte* const all = lines_.front().bytes;
  const std::byte* const end = all + lines_.size() * sizeof(Line);
  return std::all_of(all, bytes().data(), intact) &&
         std::all_of(bytes().data() + size_bytes_, end, intact);
}

double error_of(const std::vector<double>& got, const std::vector<double>& want) {
  constexpr double kInfinite = std::numeric_limits<double>::infinity();
  if (got.size() != want.size()) return kInfinite;
  double error = 0, scale = 0;
  for (size_t i = 0; i < got.size(); ++i) {
    if (got[i] == want[i] && std::isinf(got[i])) continue;
    if (!std::isfinite(got[i]) || !std::isfinite(want[i])) return kInfinite;
    error = std::max(error, std::abs(got[i] - want[i]));
    scale = std::max(scale, std::abs(want[i]));
  }
  return scale > 0 ? error / scale : error;
}

template <class T>
bool same_bits(std::span<const T> a, std::span<const T> b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size_bytes()) == 0;
}

template std::vector<float> random_values(int64_t, uint32_t);
template std::vector<double> random_values(int64_t, uint32_t);
template std::vector<bfloat16> random_values(int64_t, uint32_t);
template bool same_bits(std::span<const float>, std::span<const float>);
template bool same_bits(std::span<const std::byte>, std::span<const std::byte>);

}  // namespace bench::kernels::test
