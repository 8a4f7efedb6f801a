#include <algorithm>
#include <type_traits>

#include "kernels/cpu/parallel.h"
#include "kernels/cpu/scratch.h"
#include "kernels/linear/packed_blocks.h"

// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/linear/packed-inl.h"
#include <hwy/foreach_target.h>
#include "kernels/linear/packed-inl.h"
// clang-format on

namespace bench::kernels::cpu {

HWY_EXPORT(packed_parts);

namespace {

// A panel of the right factor, kMostDepth deep, fills half of a first-level cache of 32 KiB; a
// block of the left one half of a second-level cache of 512 KiB; a group of the right one, which
// all threads share, half of a third-level cache of 32 MiB.
constexpr int64_t kMostDepth = 256, kMostRows = 192, kMostColumns = 3072;
constexpr int64_t kGroupElements = int64_t{4} << 20;
// Columns of a task: many tasks keep all threads busy, few spare packing the left factor again.
constexpr int64_t kTaskColumns = 1536;

thread_local Scratch group_memory, left_memory, partial_memory, all_partial_memory;

constexpr int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }
constexpr int64_t round_up(int64_t a, int64_t b) { return ceil_div(a, b) * b; }

// `size` in equal steps of at most `most`, a multiple of `grain`.
int64_t equal_step(int64_t size, int64_t most, int64_t grain) {
  return std::max(grain,
                  round_up(ceil_div(size, std::max<int64_t>(1, ceil_div(size, most))), grain));
}

void pack_left(const PackedParts& parts, const Factor<float>& f, const Piece& p, float* to) {
  parts.pack_left(f, p, to);
}
void pack_left(const PackedParts& parts, const Factor<bfloat16>& f, const Piece& p, float* to) {
  parts.pack_left_bf16(f, p, to);
}
void pack_right(const PackedParts& parts, const Factor<float>& f, const Piece& p, float* to) {
  parts.pack_right(f, p, to);
}
void pack_right(const PackedParts& parts, const Factor<bfloat16>& f, const Piece& p, float* to) {
  parts.pack_right_bf16(f, p, to);
}
void multiply(const PackedParts& parts, const PackedBlock<float>& b) { parts.multiply(b); }
void multiply(const PackedParts& parts, const PackedBlock<bfloat16>& b) { parts.multiply_bf16(b); }

int64_t depth_step(int64_t k) { return equal_step(k, kMostDepth, 1); }

// Lines [line, line + lines) of the right factor over k in [depth_begin, depth_begin + depth),
// packed: one after the other blocks of depth_step(k), in each the panels of all lines.
struct RightGroup {
  Piece piece;
  int64_t padded_lines, block_depth;
  const float* at;

  const float* panel(int64_t line, int64_t depth_begin) const {
    const int64_t from = depth_begin - piece.depth_begin;
    const int64_t depth = std::min(block_depth, piece.depth - from);
    return at + from * padded_lines + (line - piece.line) * depth;
  }
};

template <class T>
void fill_group(const Context& context, const PackedParts& parts, const Factor<T>& factor,
                const RightGroup& group, float* to) {
  const Piece& piece = group.piece;
  const int64_t panels = group.padded_lines / parts.panel_columns;
  const int64_t blocks = ceil_div(piece.depth, group.block_depth);
  parallel_parts(context, panels * blocks, 1, [&](const Part& part) {
    for (int64_t i = part.begin; i < part.end; ++i) {
      const int64_t from = i / panels * group.block_depth, line = i % panels * parts.panel_columns;
      const int64_t depth = std::min(group.block_depth, piece.depth - from);
      pack_right(parts, factor,
                 {.line = piece.line + line,
                  .lines = std::min(parts.panel_columns, piece.lines - line),
                  .depth_begin = piece.depth_begin + from,
                  .depth = depth},
                 to + from * group.padded_lines + line * depth);
    }
  });
}

// Of a right factor that is packed as a whole.
struct PackedLayout {
  int64_t k, n, panel_columns;
  bool operator==(const PackedLayout&) const = default;
};

template <class T, class Out>
class Multiplication {
 public:
  Multiplication(const Context& context, const PackedProduct<T, Out>& product)
      : context_(context),
        p_(product),
        parts_(HWY_DYNAMIC_DISPATCH(packed_parts)()),
        depth_(depth_step(product.k)) {}

  void run() {
    if (p_.prepared != nullptr) return multiply_group(prepared_group());
    const int64_t columns = equal_step(p_.n, kMostColumns, parts_.panel_columns);
    const int64_t blocks = std::max<int64_t>(1, kGroupElements / (columns * depth_));
    const int64_t group_depth = std::min(p_.k, blocks * depth_);
    float* const to = group_memory.elements<float>(columns * group_depth);
    if (!std::is_same_v<Out, float> && group_depth < p_.k) {
      partial_ = all_partial_memory.elements<float>(p_.m * columns);
    }
    for (int64_t line = 0; line < p_.n; line += columns) {
      for (int64_t k = 0; k < p_.k; k += group_depth) {
        const RightGroup group = group_of({.line = line,
                                           .lines = std::min(columns, p_.n - line),
                                           .depth_begin = k,
                                           .depth = std::min(group_depth, p_.k - k)},
                                          to);
        fill_group(context_, parts_, p_.right, group, to);
        multiply_group(group);
      }
    }
  }

 private:
  RightGroup group_of(const Piece& piece, const float* at) const {
    return {.piece = piece,
            .padded_lines = round_up(piece.lines, parts_.panel_columns),
            .block_depth = depth_,
            .at = at};
  }

  RightGroup prepared_group() const {
    RightGroup group =
        group_of({.line = 0, .lines = p_.n, .depth_begin = 0, .depth = p_.k}, nullptr);
    const PackedLayout layout{.k = p_.k, .n = p_.n, .panel_columns = parts_.panel_columns};
    const size_t bytes = static_cast<size_t>(p_.k * group.padded_lines) * sizeof(float);
    group.at = static_cast<const float*>(p_.prepared->in(layout, bytes, [&](void* memory) {
      fill_group(context_, parts_, p_.right, group, static_cast<float*>(memory));
    }));
    return group;
  }

  // Tasks are blocks of c. A block's elements are computed by one thread in one order of k.
  void multiply_group(const RightGroup& group) {
    const int64_t threads = context_.device.threads();
    const int64_t most = std::min(kMostRows, round_up(ceil_div(p_.m, threads), kPackedRows));
    const int64_t rows = equal_step(p_.m, most, kPackedRows);
    const int64_t columns = equal_step(group.piece.lines, kTaskColumns, parts_.panel_columns);
    const int64_t across = ceil_div(group.piece.lines, columns);
    parallel_tasks(context_, ceil_div(p_.m, rows) * across, [&](int64_t task) {
      const int64_t row = task / across * rows, column = task % across * columns;
      multiply_task(
          group, {.line = row, .lines = std::min(rows, p_.m - row), .depth_begin = 0, .depth = 0},
          group.piece.line + column, std::min(columns, group.piece.lines - column));
    });
  }

  void multiply_task(const RightGroup& group, const Piece& c_rows, int64_t column,
                     int64_t columns) {
    float* const left = left_memory.elements<float>(round_up(c_rows.lines, kPackedRows) * depth_);
    const Partial partial = partial_of(group, c_rows, column, columns);
    Out* const c = p_.c + c_rows.line * p_.n + column;
    const int64_t end = group.piece.depth_begin + group.piece.depth;
    for (int64_t k = group.piece.depth_begin; k < end; k += depth_) {
      const int64_t depth = std::min(depth_, end - k);
      const bool adds = k > 0 || p_.accumulate;
      pack_left(parts_, p_.left,
                {.line = c_rows.line, .lines = c_rows.lines, .depth_begin = k, .depth = depth},
                left);
      const auto block_to = [&]<class To>(To* to, int64_t to_row, const To* bias) {
        multiply(parts_, PackedBlock<To>{.rows = c_rows.lines,
                                         .columns = columns,
                                         .depth = depth,
                                         .left = left,
                                         .right = group.panel(column, k),
                                         .from = adds ? partial.at : nullptr,
                                         .from_row = partial.row,
                                         .bias = bias,
                                         .to = to,
                                         .to_row = to_row});
      };
      if (k + depth < p_.k) {
        block_to(partial.at, partial.row, static_cast<const float*>(nullptr));
      } else {
        block_to(c, p_.n, p_.bias == nullptr ? nullptr : p_.bias + column);
      }
    }
  }

  // Sums over a part of k: in c where it is float, else in memory of this thread, or where the
  // right factor comes in several groups, of all.
  struct Partial {
    float* at;
    int64_t row;  // distance of two rows
  };
  Partial partial_of(const RightGroup& group, const Piece& c_rows, int64_t column,
                     int64_t columns) {
    if constexpr (std::is_same_v<Out, float>) {
      return {p_.c + c_rows.line * p_.n + column, p_.n};
    } else {
      if (group.piece.depth == p_.k) {
        return {partial_memory.elements<float>(c_rows.lines * columns), columns};
      }
      const int64_t row = group.piece.lines;
      return {partial_ + c_rows.line * row + column - group.piece.line, row};
    }
  }

  const Context& context_;
  const PackedProduct<T, Out>& p_;
  const PackedParts parts_;
  const int64_t depth_;       // of a block, but for the last
  float* partial_ = nullptr;  // [m, columns of a group]
};

}  // namespace

template <class T, class Out>
void multiply_packed(const Context& context, const PackedProduct<T, Out>& product) {
  Multiplication<T, Out>(context, product).run();
}

int64_t packed_bytes(int64_t k, int64_t n) {
  const int64_t columns = HWY_DYNAMIC_DISPATCH(packed_parts)().panel_columns;
  return k * round_up(n, columns) * static_cast<int64_t>(sizeof(float));
}

template void multiply_packed(const Context&, const PackedProduct<float, float>&);
template void multiply_packed(const Context&, const PackedProduct<bfloat16, bfloat16>&);
template void multiply_packed(const Context&, const PackedProduct<bfloat16, float>&);

}  // namespace bench::kernels::cpu
