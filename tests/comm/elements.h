#pragma once
// Vectors of any element type, written and read as doubles that every type holds exactly.

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "bench/base/dtype.h"

namespace bench::comm_checks {

inline constexpr std::array kAllTypes = {DType::f32, DType::bf16, DType::f64, DType::i32,
                                         DType::i64, DType::u8,   DType::u64};
inline constexpr std::array kSignedTypes = {DType::f32, DType::bf16, DType::f64, DType::i32,
                                            DType::i64};

// One, fewer than ranks, odd, and sizes at which libraries change their algorithm.
inline constexpr std::array<int64_t, 6> kCounts = {0, 1, 3, 17, 4099, 20011};

class Elements {
 public:
  Elements(DType dtype, int64_t count)
      : dtype_(dtype), count_(count), bytes_(static_cast<size_t>(count) * size_of(dtype)) {}
  void set(int64_t i, double value);
  double get(int64_t i) const;
  DType dtype() const { return dtype_; }
  int64_t count() const { return count_; }
  void* at(int64_t i) { return bytes_.data() + static_cast<size_t>(i) * size_of(dtype_); }

 private:
  DType dtype_;
  int64_t count_;
  std::vector<unsigned char> bytes_;
};

// Differs between neighbours in index and in rank. Summed over 8 ranks still at most 252: exact in
// bf16 and in a byte.
inline double small_value(int rank, int64_t i) {
  return static_cast<double>((i % 7) + 1) * (rank + 1);
}

// The same for types that know a sign: whose is largest and smallest differs between elements.
inline double signed_value(int rank, int64_t i) {
  return static_cast<double>(i % 5 - 2) * (rank + 1) + static_cast<double>(i % 3 - 1);
}

// `get` must give `want(i)` for every element; says which does not.
template <class Want>
void expect_elements(std::string_view what, const Elements& got, Want&& want);

[[noreturn]] void fail_element(std::string_view what, const Elements& got, int64_t i, double want);

template <class Want>
void expect_elements(std::string_view what, const Elements& got, Want&& want) {
  for (int64_t i = 0; i < got.count(); ++i)
    if (got.get(i) != want(i)) fail_element(what, got, i, want(i));
}

}  // namespace bench::comm_checks
