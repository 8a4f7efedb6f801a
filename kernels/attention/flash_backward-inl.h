// Backward of flash attention (Dao 2022, algorithm 4 and appendix B.2).
#include "kernels/attention/flash_forward-inl.h"

HWY_BEFORE_NAMESPACE();
namespace bench::kernels::cpu::HWY_NAMESPACE {

// sum[keys, d] += scores[rows, keys]ᵀ · right[rows, d], without the rows that the mask makes zero.
template <class T>
HWY_INLINE void add_over_queries(const Tile& tile, int64_t d, const T* scores, const T* right,
                                 T* sum) {
  const int64_t width = whole_vectors<T>(d);
  for_blocks(vectors_for<T>(d), [&](int64_t first, auto count) HWY_ATTR {
    const int64_t column = first * kLanes<T>;
    const T* const block = right + column * kQueryTile;
    for (int64_t key = 0; key < tile.keys; key += kPanel) {
      const int64_t from = std::max<int64_t>(0, tile.key + key - tile.row);
      if (from >= tile.rows) break;
      multiply_panel<count, 1, kScoreRow<T>>(tile.rows - from, scores + from * kScoreRow<T> + key,
                                             block + from * count * kLanes<T>,
                                             sum + key * width + column, width, true);
    }
  });
}

// scores -> p = exp2(scores - log_sum); d_scores (of p) -> p (d_scores - mean).
template <class T>
HWY_INLINE void softmax_grad_tile(const Tile& tile, const T* log_sums, const T* means, T* scores,
                                  T* d_scores) {
  const hn::ScalableTag<T> d;
  for (int64_t r = 0; r < tile.panels() * kPanel; ++r) {
    const int64_t width = whole_vectors<T>(tile.limit(r / kPanel));
    T *const p = scores + r * kScoreRow<T>, *const ds = d_scores + r * kScoreRow<T>;
    mask_row(p, tile.attended(r), width);
    const auto log_sum = hn::Set(d, log_sums[r]), mean = hn::Set(d, means[r]);
    for (int64_t i = 0; i < width; i += kLanes<T>) {
      const auto x = fast_exp2(d, hn::Sub(hn::LoadU(d, p + i), log_sum));
      hn::StoreU(x, d, p + i);
      hn::StoreU(hn::Mul(x, hn::Sub(hn::LoadU(d, ds + i), mean)), d, ds + i);
    }
  }
}

// Memory of one thread: what the queries of a head bring, packed once, the sums of their gradients,
// and one tile of keys with its gradients.
template <class T>
struct BackwardSpace {
  BackwardSpace(Scratch& memory, int64_t seq, int64_t d) {
    const int64_t rows = ceil_div(seq, kQueryTile) * kQueryTile, width = whole_vectors<T>(d);
    Pieces<T> pieces(memory.elements<T>(rows * (2 * d + 3 * width + 2) +
                                        kKeyTile * (2 * d + 3 * width) +
                                        2 * kQueryTile * kScoreRow<T> + 16 * 14));
    q_panels = pieces.take(rows * d);
    d_out_panels = pieces.take(rows * d);
    q_rows = pieces.take(rows * width);
    d_out_rows = pieces.take(rows * width);
    dq = pieces.take(rows * width);
    log_sums = pieces.take(rows);
    means = pieces.take(rows);
    k_columns = pieces.take(kKeyTile * d);
    v_columns = pieces.take(kKeyTile * d);
    k_rows = pieces.take(kKeyTile * width);
    dk = pieces.take(kKeyTile * width);
    dv = pieces.take(kKeyTile * width);
    p = pieces.take(kQueryTile * kScoreRow<T>);
    ds = pieces.take(kQueryTile * kScoreRow<T>);
  }
  T *q_panels, *d_out_panels;  // [rows/6, d, 6]; queries with the scale of exp2's argument
  T *q_rows, *d_out_rows;      // per query tile: pack_rows
  T* dq;                       // [rows, whole vectors of d], to be scaled
  T *log_sums, *means;         // [rows]
  T *k_columns, *v_columns;    // [blocks of keys, d, block]
  T* k_rows;                   // pack_rows
  T *dk, *dv;                  // [kKeyTile, whole vectors of d]
  T *p, *ds;                   // [kQueryTile, kKeyTile]
};

// mean of a row: sum_j p dp = d_out · out.
template <class T, class W>
HWY_INLINE void pack_queries(const AttentionBackward<T>& a, const Head<T, AttentionBackward<T>>& at,
                             int64_t task, const BackwardSpace<W>& to) {
  const int64_t d = a.d, width = whole_vectors<W>(d);
  const W scale = static_cast<W>(score_scale(d) * kLog2E);
  for (int64_t row = 0; row < a.seq; row += kQueryTile) {
    const int64_t rows = std::min(kQueryTile, a.seq - row);
    const T* const q = at.q + row * at.qkv_row;
    const T* const out = a.out + at.out + row * at.out_row;
    const T* const d_out = a.d_out + at.out + row * at.out_row;
    pack_transposed<kPanel>(q, at.qkv_row, rows, d, scale, to.q_panels + row * d);
    pack_transposed<kPanel>(d_out, at.out_row, rows, d, W(1), to.d_out_panels + row * d);
    pack_rows(q, at.qkv_row, rows, d, kQueryTile, to.q_rows + row * width);
    pack_rows(d_out, at.out_row, rows, d, kQueryTile, to.d_out_rows + row * width);
    std::fill_n(to.log_sums + row, kQueryTile, W(0));
    std::fill_n(to.means + row, kQueryTile, W(0));
    std::copy_n(static_cast<const W*>(a.saved) + task * a.seq + row, rows, to.log_sums + row);
    for (int64_t r = 0; r < rows; ++r) {
      to.means[row + r] = sum_of<W>(0, d, [&](auto v, int64_t i) HWY_ATTR {
        return hn::Mul(load(v, out + r * at.out_row + i), load(v, d_out + r * at.out_row + i));
      });
    }
    std::fill_n(to.dq + row * width, kQueryTile * width, W(0));
  }
}

// factor · from [rows, whole vectors of d] to rows of d elements.
template <class T, class W>
HWY_INLINE void store_rows(const W* from, int64_t rows, int64_t d, W factor, T* to,
                           int64_t to_row) {
  for (int64_t r = 0; r < rows; ++r) {
    const W* const row = from + r * whole_vectors<W>(d);
    for_vectors<W>(0, d, [&](auto v, int64_t i) HWY_ATTR {
      store(hn::Mul(hn::LoadU(v, row + i), hn::Set(v, factor)), v, to + r * to_row + i);
    });
  }
}

// One tile of keys against the queries at and below it.
template <class T>
HWY_INLINE void backward_key_tile(const BackwardSpace<T>& s, int64_t seq, int64_t d, Tile tile) {
  const int64_t width = whole_vectors<T>(d);
  std::fill_n(s.dk, kKeyTile * width, T(0));
  std::fill_n(s.dv, kKeyTile * width, T(0));
  for (tile.row = tile.key / kQueryTile * kQueryTile; tile.row < seq; tile.row += kQueryTile) {
    tile.rows = std::min(kQueryTile, seq - tile.row);
    masked_product(tile, d, s.q_panels + tile.row * d, s.k_columns, s.p);
    masked_product(tile, d, s.d_out_panels + tile.row * d, s.v_columns, s.ds);
    softmax_grad_tile(tile, s.log_sums + tile.row, s.means + tile.row, s.p, s.ds);
    add_over_queries(tile, d, s.p, s.d_out_rows + tile.row * width, s.dv);
    add_over_queries(tile, d, s.ds, s.q_rows + tile.row * width, s.dk);
    add_over_keys(tile, d, s.ds, s.k_rows, s.dq + tile.row * width);
  }
}

template <class T>
void flash_backward_head(const AttentionBackward<T>& a, int64_t task) {
  using W = Wide<T>;
  thread_local Scratch memory;
  const Head<T, AttentionBackward<T>> at(a, task);
  const BackwardSpace<W> space(memory, a.seq, a.d);
  const W scale = static_cast<W>(score_scale(a.d));
  T* const dq = a.d_qkv + (at.q - a.qkv);
  pack_queries(a, at, task, space);
  for (int64_t key = 0; key < a.seq; key += kKeyTile) {
    const Tile tile{.key = key, .keys = std::min(kKeyTile, a.seq - key)};
    const int64_t from = key * at.qkv_row;
    pack_transposed<kBlock<W>>(at.k + from, at.qkv_row, tile.keys, a.d, W(1), space.k_columns);
    pack_transposed<kBlock<W>>(at.v + from, at.qkv_row, tile.keys, a.d, W(1), space.v_columns);
    pack_rows(at.k + from, at.qkv_row, tile.keys, a.d, kKeyTile, space.k_rows);
    backward_key_tile(space, a.seq, a.d, tile);
    store_rows(space.dk, tile.keys, a.d, scale, dq + a.d + from, at.qkv_row);
    store_rows(space.dv, tile.keys, a.d, W(1), dq + 2 * a.d + from, at.qkv_row);
  }
  store_rows(space.dq, a.seq, a.d, scale, dq, at.qkv_row);
}

}  // namespace bench::kernels::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
