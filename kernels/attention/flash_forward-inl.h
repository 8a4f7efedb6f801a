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

// Left factor [rows, d] in panels times right factor [d, keys], where the mask leaves something.
template <class T>
HWY_INLINE void masked_product(const Tile& tile, int64_t d, const T* left, const T* right,
                               T* scores) {
  const int64_t panels = tile.panels();
  for (int64_t key = 0; key < tile.limit(panels - 1); key += kBlock<T>) {
    for (int64_t p = 0; p < panels; ++p) {
      if (tile.limit(p) <= key) continue;
      multiply_panel<kMostVectors, 1, kPanel>(d, left + p * kPanel * d, right + key * d,
                                              scores + p * kPanel * kScoreRow<T> + key,
                                              kScoreRow<T>, false);
    }
  }
}

// sum[rows, d] += scores[rows, keys] · right[keys, d].
template <class T>
HWY_INLINE void add_over_keys(const Tile& tile, int64_t d, const T* scores, const T* right,
                              T* sum) {
  const int64_t width = whole_vectors<T>(d);
  for_blocks(vectors_for<T>(d), [&](int64_t first, auto count) HWY_ATTR {
    const int64_t column = first * kLanes<T>;
    for (int64_t p = 0; p < tile.panels(); ++p) {
      multiply_panel<count, kScoreRow<T>, 1>(tile.limit(p), scores + p * kPanel * kScoreRow<T>,
                                             right + column * kKeyTile,
                                             sum + p * kPanel * width + column, width, true);
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
  T* out;   // [kQueryTile, whole vectors of d]
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
HWY_INLINE void softmax_tile(const Tile& tile, int64_t d, T* scores, const Running<T>& running) {
  const int64_t d_width = whole_vectors<T>(d);
  for (int64_t r = 0; r < tile.panels() * kPanel; ++r) {
    const int64_t attended = tile.attended(r);
    const int64_t width = whole_vectors<T>(tile.limit(r / kPanel));
    T* const row = scores + r * kScoreRow<T>;
    mask_row(row, attended, width);
    softmax_tile_row(row, width, d_width, running.most[r], running.sums + r * kLanes<T>,
                     running.out + r * d_width);
  }
}

// Divides by the sums; leaves the logarithm (base 2) of the sum of exponentials for the backward.
template <class T, class W>
HWY_INLINE void finish_rows(const Tile& tile, int64_t d, const Running<W>& running, T* out,
                            int64_t out_row, W* log_sums) {
  const hn::ScalableTag<W> tag;
  const int64_t d_width = whole_vectors<W>(d);
  for (int64_t r = 0; r < tile.rows; ++r) {
    const W sum = hn::GetLane(hn::SumOfLanes(tag, hn::LoadU(tag, running.sums + r * kLanes<W>)));
    const W* const from = running.out + r * d_width;
    for_vectors<W>(0, d, [&](auto v, int64_t i) HWY_ATTR {
      store(hn::Mul(hn::LoadU(v, from + i), hn::Set(v, W(1) / sum)), v, out + r * out_row + i);
    });
    log_sums[r] = running.most[r] + std::log2(sum);
  }
}

// Memory of one thread: the keys and values of a head, packed tile by tile as the queries reach
// them, and one tile of everything else.
template <class T>
struct ForwardSpace {
  ForwardSpace(Scratch& memory, int64_t seq, int64_t d) {
    const int64_t padded = ceil_div(seq, kKeyTile) * kKeyTile, width = whole_vectors<T>(d);
    Pieces<T> pieces(memory.elements<T>(
        padded * (d + width) + kQueryTile * (d + kScoreRow<T> + width + kLanes<T> + 1) + 16 * 7));
    keys = pieces.take(padded * d);
    values = pieces.take(padded * width);
    queries = pieces.take(kQueryTile * d);
    scores = pieces.take(kQueryTile * kScoreRow<T>);
    running.most = pieces.take(kQueryTile);
    running.sums = pieces.take(kQueryTile * kLanes<T>);
    running.out = pieces.take(kQueryTile * width);
  }
  T *keys, *values, *queries, *scores;
  Running<T> running;
};

template <class T>
void flash_forward_part(const AttentionForward<T>& a, int64_t task, int64_t first, int64_t step) {
  using W = Wide<T>;
  thread_local Scratch memory;
  const Head<T, AttentionForward<T>> at(a, task);
  const int64_t d_width = whole_vectors<W>(a.d);
  const ForwardSpace<W> space(memory, a.seq, a.d);
  const W scale = static_cast<W>(score_scale(a.d) * kLog2E);
  int64_t packed = 0;  // keys
  for (int64_t row = first * kQueryTile; row < a.seq; row += step * kQueryTile) {
    Tile tile{.row = row, .rows = std::min(kQueryTile, a.seq - row)};
    pack_transposed<kPanel>(at.q + row * at.qkv_row, at.qkv_row, tile.rows, a.d, scale,
                            space.queries);
    std::fill_n(space.running.most, kQueryTile, -std::numeric_limits<W>::infinity());
    std::fill_n(space.running.sums, kQueryTile * kLanes<W>, W(0));
    std::fill_n(space.running.out, kQueryTile * d_width, W(0));
    for (tile.key = 0; tile.key < row + tile.rows; tile.key += kKeyTile) {
      tile.keys = std::min(kKeyTile, a.seq - tile.key);
      W *const keys = space.keys + tile.key * a.d, *const values =
                                                       space.values + tile.key * d_width;
      if (tile.key == packed) {
        const int64_t from = tile.key * at.qkv_row;
        pack_transposed<kBlock<W>>(at.k + from, at.qkv_row, tile.keys, a.d, W(1), keys);
        pack_rows(at.v + from, at.qkv_row, tile.keys, a.d, kKeyTile, values);
        packed += kKeyTile;
      }
      masked_product(tile, a.d, space.queries, keys, space.scores);
      softmax_tile(tile, a.d, space.scores, space.running);
      add_over_keys(tile, a.d, space.scores, values, space.running.out);
    }
    finish_rows(tile, a.d, space.running, a.out + at.out + row * at.out_row, at.out_row,
                static_cast<W*>(a.saved) + task * a.seq + row);
  }
}

}  // namespace bench::kernels::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
