#pragma once
// Row-major products as column-major BLAS libraries take them.

#include <compare>
#include <cstdint>

namespace bench::kernels {

// c[m,n] = op(a)[m,k] · op(b)[k,n], row-major without gaps; `a` is stored as [k,m] where it is
// transposed, `b` as [n,k].
struct RowMajorProduct {
  int64_t m, n, k;
  bool transpose_a = false, transpose_b = false;

  auto operator<=>(const RowMajorProduct&) const = default;
};

// As stored: element (row, column) is at row + column · leading.
struct ColumnMajorMatrix {
  int64_t rows, columns, leading;
  bool transposed;  // the product takes its transpose
};

// result = op(left) · op(right)
struct ColumnMajorProduct {
  ColumnMajorMatrix left, right, result;
};

// Read by columns, a row-major matrix is its transpose; so c is there what cᵀ = op(b)ᵀ · op(a)ᵀ is
// here: b becomes the left factor, and what is transposed stays so.
constexpr ColumnMajorProduct column_major(const RowMajorProduct& p) {
  const auto read_by_columns = [](int64_t rows, int64_t columns, bool transposed) {
    return transposed ? ColumnMajorMatrix{rows, columns, rows, true}
                      : ColumnMajorMatrix{columns, rows, columns, false};
  };
  return {.left = read_by_columns(p.k, p.n, p.transpose_b),
          .right = read_by_columns(p.m, p.k, p.transpose_a),
          .result = read_by_columns(p.m, p.n, false)};
}

}  // namespace bench::kernels
