// Row-major products as a column-major library is told of them.
#include <gtest/gtest.h>

#include <vector>

#include "kernels/linear/column_major.h"
#include "tests/kernels/support.h"

namespace bench::kernels::test {
namespace {

float element(const ColumnMajorMatrix& m, const std::vector<float>& stored, int64_t row,
              int64_t column) {
  return m.transposed ? stored[column + row * m.leading] : stored[row + column * m.leading];
}

// What such a library computes, and where it stores it.
std::vector<float> multiply(const ColumnMajorProduct& p, const std::vector<float>& left,
                            const std::vector<float>& right) {
  std::vector<float> result(p.result.leading * p.result.columns);
  const int64_t depth = p.left.transposed ? p.left.rows : p.left.columns;
  for (int64_t i = 0; i < p.result.rows; ++i) {
    for (int64_t j = 0; j < p.result.columns; ++j) {
      for (int64_t k = 0; k < depth; ++k) {
        result[i + j * p.result.leading] +=
            element(p.left, left, i, k) * element(p.right, right, k, j);
      }
    }
  }
  return result;
}

class ColumnMajor : public testing::TestWithParam<std::tuple<bool, bool>> {};

TEST_P(ColumnMajor, GivesTheRowMajorProduct) {
  const auto [transpose_a, transpose_b] = GetParam();
  const RowMajorProduct p{
      .m = 3, .n = 5, .k = 7, .transpose_a = transpose_a, .transpose_b = transpose_b};
  const auto a = random_values<float>(p.m * p.k, 1), b = random_values<float>(p.k * p.n, 2);
  std::vector<float> want(p.m * p.n);
  for (int64_t i = 0; i < p.m; ++i) {
    for (int64_t j = 0; j < p.n; ++j) {
      for (int64_t k = 0; k < p.k; ++k) {
        want[i * p.n + j] += (transpose_a ? a[k * p.m + i] : a[i * p.k + k]) *
                             (transpose_b ? b[j * p.k + k] : b[k * p.n + j]);
      }
    }
  }
  EXPECT_EQ(multiply(column_major(p), b, a), want);  // b is the left factor there
}

TEST_P(ColumnMajor, StepsByAWholeStoredRow) {
  const auto [transpose_a, transpose_b] = GetParam();
  const auto p = column_major(
      {.m = 3, .n = 5, .k = 7, .transpose_a = transpose_a, .transpose_b = transpose_b});
  EXPECT_EQ(p.left.leading, transpose_b ? 7 : 5);
  EXPECT_EQ(p.right.leading, transpose_a ? 3 : 7);
  EXPECT_EQ(p.result.leading, 5);
  for (const auto& m : {p.left, p.right, p.result}) EXPECT_EQ(m.leading, m.rows);
}

INSTANTIATE_TEST_SUITE_P(AllTranspositions, ColumnMajor,
                         testing::Combine(testing::Bool(), testing::Bool()));

}  // namespace
}  // namespace bench::kernels::test
