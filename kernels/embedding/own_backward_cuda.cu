#include <bit>
#include <string>

#include "bench/base/status.h"
#include "kernels/cuda/beside.h"
#include "kernels/cuda/rows.cuh"
#include "kernels/cuda/scratch.h"
#include "kernels/cuda/sort.h"
#include "kernels/cuda/walk.cuh"
#include "kernels/embedding/own_backward.h"
#include "kernels/embedding/pieces.h"

namespace bench::kernels::cuda {
namespace {

constexpr int kSortThreads = 256;

// Pointers into scratch memory.
struct SortedTokens {
  int64_t n, rows;
  uint32_t* keys;    // [n] ascending: rows of the vocabulary part, then `rows` for tokens of others
  uint32_t* tokens;  // [n]: which token of the batch stands here
  uint32_t* starts;  // [rows]: where the row's segment begins; undefined where it has none
  int64_t slots;     // piece_slots(n)
  int64_t* slot_row;  // [slots]: whose piece waits there, or -1
  bool* slot_second;  // [slots]: whether it is the second of its segment
  float* partials;    // [slots, h]
};

template <class T>
__global__ void __launch_bounds__(kSortThreads)
    make_keys(const __grid_constant__ EmbeddingBackward<T> a, uint32_t* keys, uint32_t* tokens) {
  const int64_t i = int64_t{blockIdx.x} * kSortThreads + threadIdx.x;
  if (i >= a.n) return;
  const int64_t row = a.ids[i] - a.first_row;
  keys[i] = static_cast<uint32_t>(row >= 0 && row < a.rows ? row : a.rows);
  tokens[i] = static_cast<uint32_t>(i);
}

__global__ void __launch_bounds__(kSortThreads)
    find_starts(const __grid_constant__ SortedTokens s) {
  const int64_t i = int64_t{blockIdx.x} * kSortThreads + threadIdx.x;
  if (i < s.slots) s.slot_row[i] = -1;
  if (i >= s.n) return;
  const uint32_t key = s.keys[i];
  const bool first = i == 0 || s.keys[i - 1] != key;
  if (first && key < s.rows) s.starts[key] = static_cast<uint32_t>(i);
}

constexpr int kPieceWarps = 8;      // of a block
constexpr int kPlaces = 8;          // of a warp: it adds up the pieces that begin there
constexpr int kRowsInFlight = 4;    // that it asks for before it adds the first
constexpr int kPieceColumns = 256;  // of a warp

// The columns of a warp, K packs of N elements a lane.
template <class T, int N>
struct PieceColumns {
  static constexpr int K = kPieceColumns / (kWarp * N);
  int64_t first, h;
  __device__ explicit PieceColumns(int64_t hidden)
      : first(int64_t{blockIdx.y} * kPieceColumns + lane() * N), h(hidden) {}
  __device__ int64_t at(int k) const { return first + k * kWarp * N; }
  template <class Any>
  __device__ void load_row(const Any* row, Pack<Any, N> (&to)[K]) const {
#pragma unroll
    for (int k = 0; k < K; ++k) {
      if (at(k) < h) to[k] = load<N>(row + at(k));
    }
  }
};

// Lane l of a warp knows which token stands l, and l + 32, places after the piece's first.
struct Piece {
  int count;
  uint32_t tokens[2];

  __device__ Piece(const SortedTokens& s, int64_t at, uint32_t row) {
    const int64_t low = at + lane(), high = low + kWarp;
    const bool in_low = low < s.n && s.keys[low] == row;
    const bool in_high = high < s.n && s.keys[high] == row;
    tokens[0] = in_low ? s.tokens[low] : 0;
    tokens[1] = in_high ? s.tokens[high] : 0;
    count = __popc(lanes_where(in_low)) + __popc(lanes_where(in_high));
  }
  __device__ int64_t token(int i) const {
    return i < kWarp ? from_lane(tokens[0], i) : from_lane(tokens[1], i - kWarp);
  }
};
static_assert(kPieceTokens == 2 * kWarp);

// sum += the piece's rows of dy, in order.
template <class T, int N, int K>
__device__ void add_piece(const EmbeddingBackward<T>& a, const Piece& piece,
                          const PieceColumns<T, N>& columns, float (&sum)[K][N]) {
  for (int first = 0; first < piece.count; first += kRowsInFlight) {
    Pack<T, N> dy[kRowsInFlight][K] = {};
#pragma unroll
    for (int u = 0; u < kRowsInFlight; ++u) {
      const int i = min(first + u, piece.count - 1);
      const int64_t token = piece.token(i);
      if (first + u < piece.count) columns.load_row(a.dy + token * a.h, dy[u]);
    }
#pragma unroll
    for (int u = 0; u < kRowsInFlight; ++u) {
      if (first + u >= piece.count) continue;
#pragma unroll
      for (int k = 0; k < K; ++k) {
#pragma unroll
        for (int i = 0; i < N; ++i) sum[k][i] += dy[u][k][i];
      }
    }
  }
}

// Asks for all rows that the warp's places take part in, so that no piece waits for memory after
// the one before it. Lane l < kPlaces has the key and the token of place l.
template <class T>
__device__ void ask_for_rows(const EmbeddingBackward<T>& a, uint32_t key, uint32_t token) {
  constexpr int kLanes = kWarp / kPlaces, kEach = kPieceColumns / kLanes;  // of a place, of a lane
  const int64_t row = from_lane(key, lane() / kLanes);
  const int64_t of = from_lane(token, lane() / kLanes);
  if (row >= a.rows) return;
  const int64_t first = int64_t{blockIdx.y} * kPieceColumns + lane() % kLanes * kEach;
  const auto ask = [&]<class Any>(const Any* from) {
    constexpr int kLine = 128 / static_cast<int>(sizeof(Any));
#pragma unroll
    for (int c = 0; c < kEach; c += kLine) {
      if (first + c < a.h) prefetch(from + first + c);
    }
  };
  ask(a.dy + of * a.h);
  ask(static_cast<const float*>(a.d_token) + row * a.h);
}

template <class T, int N>
__global__ void __launch_bounds__(kPieceWarps* kWarp)
    add_pieces(const __grid_constant__ EmbeddingBackward<T> a,
               const __grid_constant__ SortedTokens s) {
  constexpr int K = PieceColumns<T, N>::K;
  const PieceColumns<T, N> columns(a.h);
  const int64_t warp = int64_t{blockIdx.x} * kPieceWarps + threadIdx.x / kWarp;
  const int64_t first = warp * kPlaces;
  // Each lane looks at a place.
  const int64_t at = first + lane();
  const bool has = lane() < kPlaces && at < s.n;
  const uint32_t key = has ? s.keys[at] : static_cast<uint32_t>(s.rows);
  ask_for_rows(a, key, has ? s.tokens[at] : 0);
  const TokenPlace place{at, key < s.rows ? s.starts[key] : 0};
  uint32_t begins = lanes_where(key < s.rows && place.begins_piece());
  for (; begins != 0; begins &= begins - 1) {
    const int from = __ffs(static_cast<int>(begins)) - 1;
    const uint32_t row = from_lane(key, from);
    const TokenPlace here{
        first + from, static_cast<int64_t>(from_lane(static_cast<uint32_t>(place.start), from))};
    const Piece piece(s, here.at, row);
    float* const target =
        here.begins_segment() ? a.d_token + row * a.h : s.partials + here.slot() * a.h;
    Pack<float, N> before[K] = {};
    if (here.begins_segment()) columns.load_row(static_cast<const float*>(target), before);
    float sum[K][N];
#pragma unroll
    for (int k = 0; k < K; ++k) {
#pragma unroll
      for (int i = 0; i < N; ++i) sum[k][i] = before[k][i];
    }
    add_piece(a, piece, columns, sum);
#pragma unroll
    for (int k = 0; k < K; ++k) {
      if (columns.at(k) < a.h) store(target + columns.at(k), rounded<float>(sum[k]));
    }
    if (!here.begins_segment() && lane() == 0 && blockIdx.y == 0) {
      s.slot_row[here.slot()] = row;
      s.slot_second[here.slot()] = here.begins_second_piece();
    }
  }
}

constexpr int kWaitingThreads = 256;

// The pieces that wait, added to their row one after the other, by the block of the first of them.
__global__ void __launch_bounds__(kWaitingThreads)
    add_waiting_pieces(const __grid_constant__ SortedTokens s, int64_t h, float* d_token) {
  const int64_t first = blockIdx.x, row = s.slot_row[first];
  if (row < 0 || !s.slot_second[first]) return;
  const int64_t column = int64_t{blockIdx.y} * kWaitingThreads + threadIdx.x;
  if (column >= h) return;
  float sum = d_token[row * h + column];
  for (int64_t slot = first; slot < s.slots && s.slot_row[slot] == row; ++slot) {
    sum += s.partials[slot * h + column];
  }
  d_token[row * h + column] = sum;
}

// Hands out parts of one piece of memory, each at a multiple of 256 bytes; without memory it only
// counts.
class Parts {
 public:
  explicit Parts(std::byte* memory) : memory_(memory) {}
  template <class T>
  T* take(int64_t count) {
    const size_t at = bytes_;
    bytes_ += (static_cast<size_t>(count) * sizeof(T) + 255) / 256 * 256;
    return memory_ == nullptr ? nullptr : reinterpret_cast<T*>(memory_ + at);
  }
  size_t bytes() const { return bytes_; }

 private:
  std::byte* memory_;
  size_t bytes_ = 0;
};

struct TokenSort {
  SortedTokens sorted;
  uint32_t *keys, *tokens;  // [n] before
  std::byte* work;
};

template <class T>
TokenSort token_sort(const EmbeddingBackward<T>& a, size_t work_bytes, Parts& parts) {
  const int64_t slots = piece_slots(a.n);
  return {.sorted = {.n = a.n,
                     .rows = a.rows,
                     .keys = parts.take<uint32_t>(a.n),
                     .tokens = parts.take<uint32_t>(a.n),
                     .starts = parts.take<uint32_t>(a.rows),
                     .slots = slots,
                     .slot_row = parts.take<int64_t>(slots),
                     .slot_second = parts.take<bool>(slots),
                     .partials = parts.take<float>(slots * a.h)},
          .keys = parts.take<uint32_t>(a.n),
          .tokens = parts.take<uint32_t>(a.n),
          .work = parts.take<std::byte>(static_cast<int64_t>(work_bytes))};
}

LaunchShape blocks_of_tokens(int64_t tokens) {
  return {.blocks = static_cast<unsigned>((tokens + kSortThreads - 1) / kSortThreads),
          .threads = kSortThreads};
}

// a.n > 0, a.rows > 0, both below 2^31.
template <class T>
SortedTokens sort_tokens(const Context& context, const EmbeddingBackward<T>& a) {
  KeySort sort{.size = static_cast<int32_t>(a.n),
               .bits = static_cast<int>(std::bit_width(static_cast<uint64_t>(a.rows)))};
  const size_t work_bytes = sort_work_bytes(sort);
  Parts count(nullptr);
  token_sort(a, work_bytes, count);
  Parts parts(scratch(context, count.bytes()));
  const TokenSort memory = token_sort(a, work_bytes, parts);

  launch(context, "keys of tokens", blocks_of_tokens(a.n), make_keys<T>, a, memory.keys,
         memory.tokens);
  sort.keys = memory.keys, sort.sorted_keys = memory.sorted.keys;
  sort.values = memory.tokens, sort.sorted_values = memory.sorted.tokens;
  sort_keys(context, sort, memory.work, work_bytes);
  launch(context, "starts of segments", blocks_of_tokens(a.n), find_starts, memory.sorted);
  return memory.sorted;
}

template <class T>
void add_token_gradient(const Context& context, const EmbeddingBackward<T>& a, bool is_aligned) {
  const SortedTokens sorted = sort_tokens(context, a);
  const auto blocks = [](int64_t items, int64_t each) {
    return static_cast<unsigned>((items + each - 1) / each);
  };
  const LaunchShape pieces{
      .blocks = {blocks(a.n, kPlaces * kPieceWarps), blocks(a.h, kPieceColumns)},
      .threads = kPieceWarps * kWarp};
  with_width<T>(is_aligned, [&](auto width) {
    launch(context, "sums of tokens", pieces, add_pieces<T, width>, a, sorted);
  });
  const LaunchShape waiting{
      .blocks = {static_cast<unsigned>(sorted.slots), blocks(a.h, kWaitingThreads)},
      .threads = kWaitingThreads};
  launch(context, "sums of frequent tokens", waiting, add_waiting_pieces, sorted, a.h, a.d_token);
}

// d_position[seq, h] += dy[batch, seq, h] summed over the batch, in its order.
template <class T, int N>
struct PositionWalk : KeepsNothing {
  static constexpr int kWidth = N, kBlocks = 4, kInFlight = 1;
  const T* dy;
  float* d_position;
  int64_t batch, size;  // of a sequence: seq · h

  using In = Pack<float, N>;

  __device__ In load(int64_t i, int count) const {
    return cuda::load<N>(static_cast<const float*>(d_position) + i, count);
  }
  __device__ void apply(int64_t i, int count, const In& before, const Kept&) const {
    float sum[N];
#pragma unroll
    for (int k = 0; k < N; ++k) sum[k] = before[k];
#pragma unroll 4
    for (int64_t b = 0; b < batch; ++b) {
      const auto of_sequence = cuda::load<N>(dy + b * size + i, count);
#pragma unroll
      for (int k = 0; k < N; ++k) sum[k] += of_sequence[k];
    }
    store(d_position + i, rounded<float>(sum), count);
  }
};

template <class T>
void add_position_gradient(const Context& context, const EmbeddingBackward<T>& a) {
  const int64_t size = a.seq * a.h;
  with_width<T>(size % kPackWidth<T> == 0 && aligned(a.dy, a.d_position), [&](auto width) {
    run_walk(context, "embedding gradient of the positions",
             PositionWalk<T, width>{{}, a.dy, a.d_position, a.n / a.seq, size}, size);
  });
}

}  // namespace

template <class T>
void embedding_backward(const Context& context, const EmbeddingBackward<T>& a) {
  if (a.n * a.h == 0) return;
  if (a.n > INT32_MAX || a.rows >= INT32_MAX) {
    throw UsageError("embedding backward of " + std::to_string(a.n) + " tokens and " +
                     std::to_string(a.rows) + " rows: 32 bits count them");
  }
  if (a.n % a.seq != 0) {
    throw UsageError("embedding backward of " + std::to_string(a.n) +
                     " tokens, no multiple of a sequence's " + std::to_string(a.seq));
  }
  const bool has_positions = a.d_position != nullptr;
  if (a.rows == 0 && has_positions) return add_position_gradient(context, a);
  if (a.rows == 0) return;
  const bool is_aligned = whole_packs<T>(a.h) && aligned(a.dy, a.d_token);
  if (!has_positions) return add_token_gradient(context, a, is_aligned);
  // Sorting is many short steps, which leave the memory to the sums over positions.
  Beside beside(context);
  add_position_gradient(beside.context(), a);
  add_token_gradient(context, a, is_aligned);
  beside.join();
}

template void embedding_backward(const Context&, const EmbeddingBackward<float>&);
template void embedding_backward(const Context&, const EmbeddingBackward<bfloat16>&);

}  // namespace bench::kernels::cuda
