#include "tests/kernels/support.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>

namespace bench::kernels::test {
namespace {

template <class T>
constexpr T kSentinel = T(-12345.5);

}  // namespace

template <class T>
std::vector<T> random_values(int64_t size, uint32_t seed) {
  std::mt19937 bits(seed);
  std::uniform_real_distribution<T> uniform(-1, 1);
  std::vector<T> out(size);
  for (T& x : out) x = uniform(bits);
  return out;
}

std::vector<int32_t> random_ids(int64_t size, int32_t low, int32_t high, uint32_t seed) {
  std::mt19937 bits(seed);
  std::uniform_int_distribution<int32_t> uniform(low, high - 1);
  std::vector<int32_t> out(size);
  for (int32_t& x : out) x = uniform(bits);
  return out;
}

template <class T>
Guarded<T>::Guarded(int64_t size) : memory_(size + 2 * kGuard, kSentinel<T>) {
  std::fill_n(data(), size, std::numeric_limits<T>::quiet_NaN());
}

template <class T>
Guarded<T>::Guarded(const std::vector<T>& content) : Guarded(static_cast<int64_t>(content.size())) {
  std::copy(content.begin(), content.end(), data());
}

template <class T>
bool Guarded<T>::guards_intact() const {
  const auto intact = [](T x) { return x == kSentinel<T>; };
  return std::all_of(memory_.begin(), memory_.begin() + kGuard, intact) &&
         std::all_of(memory_.end() - kGuard, memory_.end(), intact);
}

template <class T>
double error_of(std::span<const T> got, std::span<const T> want) {
  constexpr double kInfinite = std::numeric_limits<double>::infinity();
  if (got.size() != want.size()) return kInfinite;
  double error = 0, scale = 0;
  for (size_t i = 0; i < got.size(); ++i) {
    if (got[i] == want[i] && std::isinf(got[i])) continue;
    if (!std::isfinite(got[i]) || !std::isfinite(want[i])) return kInfinite;
    error = std::max(error, std::abs(static_cast<double>(got[i]) - want[i]));
    scale = std::max(scale, std::abs(static_cast<double>(want[i])));
  }
  return scale > 0 ? error / scale : error;
}

template <class T>
bool same_bits(std::span<const T> a, std::span<const T> b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size_bytes()) == 0;
}

template std::vector<float> random_values(int64_t, uint32_t);
template std::vector<double> random_values(int64_t, uint32_t);
template class Guarded<float>;
template class Guarded<double>;
template double error_of(std::span<const float>, std::span<const float>);
template double error_of(std::span<const double>, std::span<const double>);
template bool same_bits(std::span<const float>, std::span<const float>);
template bool same_bits(std::span<const double>, std::span<const double>);

}  // namespace bench::kernels::test
