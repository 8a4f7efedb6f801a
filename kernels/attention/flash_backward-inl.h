// Backward of flash attention (Dao 2022, algorithm 4 and appendix B.2).
#include "kernels/attention/flash_forward-inl.h"

HWY_BEFORE_NAMESPACE();
namespace bench::kernels::cpu::HWY_NAMESPACE {

// sum[keys, d] += scores[rows, keys]ᵀ · right[rows, d], without the rows that the mask makes zero.
template <class T>
HWY_NOINLINE void add_over_queries(const Tile& tile, int64_t d, const T* scores, const T* right,
                                   T* sum) {
  const int64_t row = row_distance<T>(d);
  for_blocks(vectors_for<T>(d), [&](int64_t first, auto count) HWY_ATTR {
    const int64_t column = first * kLanes<T>;
    for (int64_t key = 0; key < tile.keys; key += kPanel) {
      const int64_t from = std::max<int64_t>(0, tile.key + key - tile.row);
      if (from >= tile.rows) break;
      multiply_panel<count, T>(
          tile.rows - from, {scores + from * kScoreRow<T> + key, 1, kScoreRow<T>},
          right + from * row + column, row, sum + key * row + column, row, true);
    }
  });
}

// scores -> p = exp2(scores - log_sum); d_scores (of p) -> p (d_scores - mean).
template <class T>
HWY_NOINLINE void softmax_grad_tile(const Tile& tile, const T* log_sums, const T* means, T* scores,
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

// Memory of one thread: the queries of a head with what belongs to them, packed once, and one tile
// of keys. Rows of d elements are row_distance apart.
template <class W>
struct BackwardSpace {
  BackwardSpace(Scratch& memory, int64_t seq, int64_t d) {
    const int64_t rows = ceil_div(seq, kQueryTile) * kQueryTile, row = row_distance<W>(d);
    Pieces<W> pieces(memory.elements<W>(rows * (4 * row + 2) + kKeyTile * (2 * d + 3 * row) +
                                        2 * kQueryTile * kScoreRow<W> + 13 * kLineElements<W>));
    q = pieces.take(rows * row);
    d_out = pieces.take(rows * row);
    dq = pieces.take(rows * row);
    group_dq = pieces.take(rows * row);
    log_sums = pieces.take(rows);
    means = pieces.take(rows);
    k_columns = pieces.take(kKeyTile * d);
    v_columns = pieces.take(kKeyTile * d);
    k = pieces.take(kKeyTile * row);
    dk = pieces.take(kKeyTile * row);
    dv = pieces.take(kKeyTile * row);
    p = pieces.take(kQueryTile * kScoreRow<W>);
    ds = pieces.take(kQueryTile * kScoreRow<W>);
  }
  W *q, *d_out;                  // pack_rows; q with the scale of exp2's argument
  W *dq, *group_dq;              // [rows, d], to be scaled
  W *log_sums, *means;           // [rows]; means: sum_j p dp = d_out · out
  W *k_columns, *v_columns, *k;  // pack_columns, pack_rows
  W *dk, *dv;                    // [kKeyTile, d], dk to be scaled
  W *p, *ds;                     // [kQueryTile, kKeyTile], rows kScoreRow apart
};

// Rows up to a whole tile are there, with zeros.
template <class T, class W>
HWY_NOINLINE void pack_queries(const AttentionBackward<T>& a,
                               const Head<T, AttentionBackward<T>>& at, const W* log_sums,
                               const BackwardSpace<W>& to) {
  const int64_t d = a.d, row = row_distance<W>(d);
  const int64_t rest = ceil_div(a.seq, kQueryTile) * kQueryTile - a.seq;
  const W scale = static_cast<W>(score_scale(d) * kLog2E);
  const T *const out = a.out + at.out, *const d_out = a.d_out + at.out;
  pack_rows(at.q, at.qkv_row, a.seq, d, scale, to.q);
  pack_rows(d_out, at.out_row, a.seq, d, W(1), to.d_out);
  std::copy_n(log_sums, a.seq, to.log_sums);
  for (int64_t r = 0; r < a.seq; ++r) {
    prefetch_after(out, at.out_row, r, a.seq, d);
    to.means[r] = sum_of<W>(0, d, [&](auto v, int64_t i) HWY_ATTR {
      return hn::Mul(load(v, out + r * at.out_row + i), hn::LoadU(v, to.d_out + r * row + i));
    });
  }
  std::fill_n(to.q + a.seq * row, rest * row, W(0));
  std::fill_n(to.d_out + a.seq * row, rest * row, W(0));
  std::fill_n(to.log_sums + a.seq, rest, W(0));
  std::fill_n(to.means + a.seq, rest, W(0));
}

// factor · from, to rows of d elements to_row apart.
template <class T, class W>
HWY_NOINLINE void store_rows(const W* from, int64_t rows, int64_t d, W factor, T* to,
                             int64_t to_row) {
  for (int64_t r = 0; r < rows; ++r, from += row_distance<W>(d)) {
    prefetch_after(to, to_row, r, rows, d);
    for_vectors<W>(0, d, [&](auto v, int64_t i) HWY_ATTR {
      store(hn::Mul(hn::LoadU(v, from + i), hn::Set(v, factor)), v, to + r * to_row + i);
    });
  }
}

// One tile of keys against the queries at and below it.
template <class W>
HWY_NOINLINE void backward_key_tile(const BackwardSpace<W>& s, int64_t seq, int64_t d, Tile tile,
                                    W* dq) {
  const int64_t row = row_distance<W>(d);
  std::fill_n(s.dk, kKeyTile * row, W(0));
  std::fill_n(s.dv, kKeyTile * row, W(0));
  for (tile.row = tile.key / kQueryTile * kQueryTile; tile.row < seq; tile.row += kQueryTile) {
    tile.rows = std::min(kQueryTile, seq - tile.row);
    multiply_to_scores(tile, d, s.q + tile.row * row, s.k_columns, s.p);
    multiply_to_scores(tile, d, s.d_out + tile.row * row, s.v_columns, s.ds);
    softmax_grad_tile(tile, s.log_sums + tile.row, s.means + tile.row, s.p, s.ds);
    add_over_queries(tile, d, s.p, s.d_out + tile.row * row, s.dv);
    add_over_queries(tile, d, s.ds, s.q + tile.row * row, s.dk);
    add_over_keys(tile, d, s.ds, s.k, dq + tile.row * row);
  }
}

// The group's tiles of keys: their gradients, and what they add to that of the queries.
template <class T, class W>
HWY_NOINLINE void backward_group(const AttentionBackward<T>& a,
                                 const Head<T, AttentionBackward<T>>& at, int64_t group,
                                 const BackwardSpace<W>& s, W* dq) {
  std::fill_n(dq, query_grad_size<W>(a.seq, a.d), W(0));
  for (int64_t key = 0; key < a.seq; key += kKeyTile) {
    if (group_of(key / kKeyTile, key_groups(a.seq)) != group) continue;
    const Tile tile{.key = key, .keys = std::min(kKeyTile, a.seq - key)};
    const int64_t from = key * at.qkv_row;
    pack_columns(at.k + from, at.qkv_row, tile.keys, a.d, s.k_columns);
    pack_columns(at.v + from, at.qkv_row, tile.keys, a.d, s.v_columns);
    pack_rows(at.k + from, at.qkv_row, tile.keys, a.d, W(1), s.k);
    backward_key_tile(s, a.seq, a.d, tile, dq);
    T* const dk = a.d_qkv + (at.k - a.qkv) + from;
    // q was packed with scale · log2(e); the gradient's factor is the scale.
    store_rows(s.dk, tile.keys, a.d, static_cast<W>(1 / kLog2E), dk, at.qkv_row);
    store_rows(s.dv, tile.keys, a.d, W(1), dk + a.d, at.qkv_row);
  }
}

// to += from
template <class W>
HWY_NOINLINE void add_to(W* to, const W* from, int64_t size) {
  for_vectors<W>(0, size, [&](auto v, int64_t i) HWY_ATTR {
    hn::StoreU(hn::Add(hn::LoadU(v, to + i), hn::LoadU(v, from + i)), v, to + i);
  });
}

template <class T, class W>
HWY_NOINLINE void store_query_grad(const AttentionBackward<T>& a,
                                   const Head<T, AttentionBackward<T>>& at, const W* dq) {
  store_rows(dq, a.seq, a.d, static_cast<W>(score_scale(a.d)), a.d_qkv + (at.q - a.qkv),
             at.qkv_row);
}

template <class W>
BackwardSpace<W> backward_space(int64_t seq, int64_t d) {
  thread_local Scratch memory;
  return BackwardSpace<W>(memory, seq, d);
}

template <class T>
void flash_backward_head(const AttentionBackward<T>& a, int64_t task) {
  using W = Wide<T>;
  const Head<T, AttentionBackward<T>> at(a, task);
  const auto space = backward_space<W>(a.seq, a.d);
  pack_queries(a, at, static_cast<const W*>(a.saved) + task * a.seq, space);
  backward_group(a, at, 0, space, space.dq);
  for (int64_t group = 1; group < key_groups(a.seq); ++group) {
    backward_group(a, at, group, space, space.group_dq);
    add_to(space.dq, space.group_dq, query_grad_size<W>(a.seq, a.d));
  }
  store_query_grad(a, at, space.dq);
}

template <class T>
void flash_backward_group(const AttentionBackward<T>& a, int64_t task, int64_t group, Wide<T>* dq) {
  using W = Wide<T>;
  const Head<T, AttentionBackward<T>> at(a, task);
  const auto space = backward_space<W>(a.seq, a.d);
  pack_queries(a, at, static_cast<const W*>(a.saved) + task * a.seq, space);
  backward_group(a, at, group, space, dq);
}

template <class T>
void flash_backward_sum(const AttentionBackward<T>& a, int64_t task, Wide<T>* dq) {
  const int64_t size = query_grad_size<Wide<T>>(a.seq, a.d);
  for (int64_t group = 1; group < key_groups(a.seq); ++group) {
    add_to(dq, dq + group * size, size);
  }
  store_query_grad(a, Head<T, AttentionBackward<T>>(a, task), dq);
}

}  // namespace bench::kernels::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
