// Forward of flash attention.
#include "kernels/attention/head.h"
#include "kernels/attention/pack-inl.h"
#include "kernels/cpu/exp-inl.h"

HWY_BEFORE_NAMESPACE();
namespace bench::kernels::cpu::HWY_NAMESPACE {

inline constexpr double kLog2E = 1.44269504088896340736;

// One tile of scores: queries [row, row + rows), keys [key, key + keys).
struct Tile {
  int64_t row, rows, key, keys;

  int64_t panels() const { return ceil_div(rows, kPanel); }
  // Keys of the tile that the last query of a panel attends to. Panels are taken as full.
  int64_t limit(int64_t panel) const {
    return std::clamp<int64_t>(row + (panel + 1) * kPanel - key, 0, keys);
  }
  // Keys of the tile that query row + r attends to.
  int64_t attended(int64_t r) const { return std::clamp<int64_t>(row + r + 1 - key, 0, keys); }
};

// scores[rows, keys] = left[rows, d] · right[d, keys], where the mask leaves something: rows as
// pack_rows makes them by what pack_columns makes.
template <class T>
HWY_NOINLINE void multiply_to_scores(const Tile& tile, int64_t d, const T* left, const T* right,
                                     T* scores) {
  const int64_t panels = tile.panels(), left_row = row_distance<T>(d);
  for (int64_t key = 0; key < tile.limit(panels - 1); key += kBlock<T>) {
    for (int64_t p = 0; p < panels; ++p) {
      if (tile.limit(p) <= key) continue;
      multiply_panel<kMostVectors, T>(
          d, {left + p * kPanel * left_row, left_row, 1}, right + key * d, kBlock<T>,
          scores + p * kPanel * kScoreRow<T> + key, kScoreRow<T>, false);
    }
  }
}

// sum[rows, d] += scores[rows, keys] · right[keys, d]; rows of `sum` and `right` row_distance
// apart.
template <class T>
HWY_NOINLINE void add_over_keys(const Tile& tile, int64_t d, const T* scores, const T* right,
                                T* sum) {
  const int64_t row = row_distance<T>(d);
  for_blocks(vectors_for<T>(d), [&](int64_t first, auto count) HWY_ATTR {
    const int64_t column = first * kLanes<T>;
    for (int64_t p = 0; p < tile.panels(); ++p) {
      multiply_panel<count, T>(tile.limit(p), {scores + p * kPanel * kScoreRow<T>, kScoreRow<T>, 1},
                               right + column, row, sum + p * kPanel * row + column, row, true);
    }
  });
}

// Minus infinity in the masked keys of a row that whole vectors will touch.
template <class T>
HWY_INLINE void mask_row(T* scores, int64_t attended, int64_t width) {
  std::fill(scores + attended, scores + width, -std::numeric_limits<T>::infinity());
}

// A block of queries on its way over the keys: running maximum and sum of exponentials of each row
// (the sum lane by lane), and the output that is still to be divided by the sum.
template <class T>
struct Running {
  T* most;  // [kQueryTile]
  T* sums;  // [kQueryTile, lanes]
  T* out;   // [kQueryTile, d], rows row_distance apart
};

// Scores become exp2(score - new maximum); what was summed up before is scaled to that maximum
// (Milakov and Gimelshein 2018; Dao 2022, algorithm 1).
template <class T>
HWY_INLINE void softmax_tile_row(T* scores, int64_t width, int64_t d_width, T& most, T* sums,
                                 T* out) {
  const hn::ScalableTag<T> d;
  const T before = most;
  auto highest = hn::Set(d, before);
  for (int64_t i = 0; i < width; i += kLanes<T>) {
    highest = hn::Max(highest, hn::LoadU(d, scores + i));
  }
  highest = hn::MaxOfLanes(d, highest);
  most = hn::GetLane(highest);
  auto sum = hn::LoadU(d, sums);
  if (most != before) {
    const auto shrink = fast_exp2(d, hn::Sub(hn::Set(d, before), highest));
    sum = hn::Mul(sum, shrink);
    for (int64_t i = 0; i < d_width; i += kLanes<T>) {
      hn::StoreU(hn::Mul(hn::LoadU(d, out + i), shrink), d, out + i);
    }
  }
  for (int64_t i = 0; i < width; i += kLanes<T>) {
    const auto p = fast_exp2(d, hn::Sub(hn::LoadU(d, scores + i), highest));
    hn::StoreU(p, d, scores + i);
    sum = hn::Add(sum, p);
  }
  hn::StoreU(sum, d, sums);
}

template <class T>
HWY_NOINLINE void softmax_tile(const Tile& tile, int64_t d, T* scores, const Running<T>& running) {
  const int64_t d_width = whole_vectors<T>(d), out_row = row_distance<T>(d);
  for (int64_t r = 0; r < tile.panels() * kPanel; ++r) {
    const int64_t attended = tile.attended(r);
    const int64_t width = whole_vectors<T>(tile.limit(r / kPanel));
    T* const row = scores + r * kScoreRow<T>;
    mask_row(row, attended, width);
    softmax_tile_row(row, width, d_width, running.most[r], running.sums + r * kLanes<T>,
                     running.out + r * out_row);
  }
}

// Divides by the sums; leaves the logarithm (base 2) of the sum of exponentials for the backward.
template <class T, class W>
HWY_NOINLINE void finish_rows(const Tile& tile, int64_t d, const Running<W>& running, T* out,
                              int64_t out_row, W* log_sums) {
  const hn::ScalableTag<W> tag;
  for (int64_t r = 0; r < tile.rows; ++r) {
    prefetch_after(out, out_row, r, tile.rows, d);
    const W sum = hn::GetLane(hn::SumOfLanes(tag, hn::LoadU(tag, running.sums + r * kLanes<W>)));
    const W* const from = running.out + r * row_distance<W>(d);
    for_vectors<W>(0, d, [&](auto v, int64_t i) HWY_ATTR {
      store(hn::Mul(hn::LoadU(v, from + i), hn::Set(v, W(1) / sum)), v, out + r * out_row + i);
    });
    log_sums[r] = running.most[r] + std::log2(sum);
  }
}

// Memory of one thread: the keys and values of a head, packed tile by tile as the queries reach
// them, and one tile of everything else.
template <class W>
struct ForwardSpace {
  ForwardSpace(Scratch& memory, int64_t seq, int64_t d) {
    const int64_t all_keys = ceil_div(seq, kKeyTile) * kKeyTile, row = row_distance<W>(d);
    Pieces<W> pieces(memory.elements<W>(
        all_keys * (d + row) + kQueryTile * (2 * row + kScoreRow<W>)+kQueryTile * (kLanes<W> + 1) +
        7 * kLineElements<W>));
    keys = pieces.take(all_keys * d);
    values = pieces.take(all_keys * row);
    queries = pieces.take(kQueryTile * row);
    scores = pieces.take(kQueryTile * kScoreRow<W>);
    running.out = pieces.take(kQueryTile * row);
    running.sums = pieces.take(kQueryTile * kLanes<W>);
    running.most = pieces.take(kQueryTile);
  }
  W *keys, *values;  // pack_columns, pack_rows
  W* queries;        // pack_rows, with the scale of exp2's argument
  W* scores;         // [kQueryTile, kKeyTile], rows kScoreRow apart
  Running<W> running;
};

template <class T>
void flash_forward_part(const AttentionForward<T>& a, int64_t task, int64_t first, int64_t step) {
  using W = Wide<T>;
  thread_local Scratch memory;
  const Head<T, AttentionForward<T>> at(a, task);
  const int64_t row_size = row_distance<W>(a.d);
  const ForwardSpace<W> space(memory, a.seq, a.d);
  const W scale = static_cast<W>(score_scale(a.d) * kLog2E);
  int64_t packed = 0;  // keys
  for (int64_t row = first * kQueryTile; row < a.seq; row += step * kQueryTile) {
    Tile tile{.row = row, .rows = std::min(kQueryTile, a.seq - row)};
    pack_rows(at.q + row * at.qkv_row, at.qkv_row, tile.rows, a.d, scale, space.queries);
    std::fill_n(space.running.most, kQueryTile, -std::numeric_limits<W>::infinity());
    std::fill_n(space.running.sums, kQueryTile * kLanes<W>, W(0));
    std::fill_n(space.running.out, kQueryTile * row_size, W(0));
    for (tile.key = 0; tile.key < row + tile.rows; tile.key += kKeyTile) {
      tile.keys = std::min(kKeyTile, a.seq - tile.key);
      W* const keys = space.keys + tile.key * a.d;
      W* const values = space.values + tile.key * row_size;
      if (tile.key == packed) {
        const int64_t from = tile.key * at.qkv_row;
        pack_columns(at.k + from, at.qkv_row, tile.keys, a.d, keys);
        pack_rows(at.v + from, at.qkv_row, tile.keys, a.d, W(1), values);
        packed += kKeyTile;
      }
      multiply_to_scores(tile, a.d, space.queries, keys, space.scores);
      softmax_tile(tile, a.d, space.scores, space.running);
      add_over_keys(tile, a.d, space.scores, values, space.running.out);
    }
    finish_rows(tile, a.d, space.running, a.out + at.out + row * at.out_row, at.out_row,
                static_cast<W*>(a.saved) + task * a.seq + row);
  }
}

}  // namespace bench::kernels::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
