#include "plugins/collectives/exact_data.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "bench/base/bfloat16.h"

namespace bench::collectives {

double contribution(DType dtype, int rank, int64_t i) {
  const int64_t mixed = (i % kPeriod) * 7 + static_cast<int64_t>(rank) * 13;
  return dtype == DType::bf16 ? static_cast<double>(mixed % 5 - 2)
                              : static_cast<double>(mixed % kPeriod - 30);
}

std::vector<double> reduced(DType dtype, int ranks, ReduceOp op) {
  std::vector<double> results(kPeriod);
  for (int64_t i = 0; i < kPeriod; ++i) {
    double& result = results[static_cast<size_t>(i)];
    result = contribution(dtype, 0, i);
    for (int r = 1; r < ranks; ++r) {
      const double next = contribution(dtype, r, i);
      result = op == ReduceOp::sum   ? result + next
               : op == ReduceOp::max ? std::max(result, next)
                                     : std::min(result, next);
    }
  }
  return results;
}

void store(DType dtype, double value, void* to) {
  if (dtype == DType::bf16) {
    const bfloat16 narrow(value);
    std::memcpy(to, &narrow, sizeof(narrow));
  } else {
    const auto single = static_cast<float>(value);
    std::memcpy(to, &single, sizeof(single));
  }
}

double load(DType dtype, const void* from) {
  if (dtype == DType::bf16) {
    bfloat16 narrow;
    std::memcpy(&narrow, from, sizeof(narrow));
    return static_cast<float>(narrow);
  }
  float single = 0;
  std::memcpy(&single, from, sizeof(single));
  return single;
}

std::string words_of_wrong(const std::string& who, int64_t element, double got, double expected) {
  return fmt::format("{}: element {} is {}, expected {}", who, element, got, expected);
}

}  // namespace bench::collectives
