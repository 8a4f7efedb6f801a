#pragma once
// What the vector code of packed products and what drives it say to each other.

#include <cstdint>

#include "kernels/linear/packed.h"

namespace bench::kernels::cpu {

// Rows that the micro-kernel computes at once.
inline constexpr int64_t kPackedRows = 6;

// Lines [line, line + lines) of a factor over k in [depth_begin, depth_begin + depth).
struct Piece {
  int64_t line, lines, depth_begin, depth;
};

// A block of c. The left factor lies as [panel of kPackedRows rows, depth, kPackedRows], the right
// one as [panel, depth, columns of a panel]; what they hold beyond rows and columns is not used.
template <class Out>
struct PackedBlock {
  int64_t rows, columns, depth;
  const float* left;
  const float* right;
  const float* from;  // what is added, rows from_row apart, or nullptr
  int64_t from_row;
  const Out* bias;  // [columns] or nullptr
  Out* to;
  int64_t to_row;
};

// For one instruction set.
struct PackedParts {
  int64_t panel_columns;
  // Whole panels of the piece, the last one filled up with zeros.
  void (*pack_left)(const Factor<float>&, const Piece&, float* to);
  void (*pack_right)(const Factor<float>&, const Piece&, float* to);
  void (*pack_left_bf16)(const Factor<bfloat16>&, const Piece&, float* to);
  void (*pack_right_bf16)(const Factor<bfloat16>&, const Piece&, float* to);
  void (*multiply)(const PackedBlock<float>&);
  void (*multiply_bf16)(const PackedBlock<bfloat16>&);
};

}  // namespace bench::kernels::cpu
