#pragma once
// Random inputs, guarded outputs and the comparison every kernel test uses.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "bench/base/bfloat16.h"
#include "bench/device/cpu/cpu_device.h"
#include "tests/kernels/site.h"

namespace bench::kernels::test {

// A CPU device of `threads` threads.
class Cpu final : public Site {
 public:
  explicit Cpu(int threads) : Site(std::make_unique<CpuDevice>(threads)) {}
};

// Uniform in [-1, 1), the same for the same seed.
template <class T>
std::vector<T> random_values(int64_t size, uint32_t seed);

// Uniform in [low, high).
std::vector<int32_t> random_ids(int64_t size, int32_t low, int32_t high, uint32_t seed);

// An output between two rows of sentinels, full of NaN (bytes: 0xff) until written; aligned to 64
// bytes, as what a device allocates is.
class Guarded {
 public:
  Guarded(DType dtype, int64_t size);
  Guarded(DType dtype, const std::vector<double>& content);
  void* data() { return lines_.data() + kGuardLines; }
  std::span<const std::byte> bytes() const { return {lines_[kGuardLines].bytes, size_bytes_}; }
  std::vector<double> values() const;
  bool guards_intact() const;

 private:
  struct alignas(64) Line {
    std::byte bytes[64];
  };
  static constexpr size_t kGuardLines = 4;

  DType dtype_;
  size_t size_bytes_;
  std::vector<Line> lines_;
};

// max|got - want| / max|want| (infinities must be equal, a NaN is infinitely wrong).
double error_of(const std::vector<double>& got, const std::vector<double>& want);
template <class T>
double error_of(std::span<const T> got, std::span<const T> want) {
  return error_of(std::vector<double>(got.begin(), got.end()),
                  std::vector<double>(want.begin(), want.end()));
}

template <class T>
bool same_bits(std::span<const T> a, std::span<const T> b);

}  // namespace bench::kernels::test
