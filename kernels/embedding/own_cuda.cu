#include "kernels/cuda/rows.cuh"
#include "kernels/embedding/op.h"
#include "kernels/embedding/own_backward.h"
#include "kernels/registry.h"

namespace bench::kernels::cuda {
namespace {

constexpr int kForwardWarps = 8, kForwardInFlight = 4;

// A warp takes a token.
template <class T, int N>
__global__ void __launch_bounds__(kForwardWarps* kWarp)
    embed(const __grid_constant__ EmbeddingForward<T> a) {
  const int64_t r = int64_t{blockIdx.x} * kForwardWarps + threadIdx.x / kWarp;
  if (r >= a.n) return;
  const int64_t row = a.ids[r] - a.first_row;
  const T* const token = row >= 0 && row < a.rows ? a.token + row * a.h : nullptr;
  const T* const position = a.position != nullptr ? a.position + r % a.seq * a.h : nullptr;
  T* const y = a.y + r * a.h;
  constexpr int kStep = kWarp * N;
  for (int64_t first = lane() * N; first < a.h; first += kForwardInFlight * kStep) {
    Pack<T, N> tokens[kForwardInFlight] = {}, positions[kForwardInFlight] = {};
#pragma unroll
    for (int u = 0; u < kForwardInFlight; ++u) {
      const int64_t c = first + u * kStep;
      if (token != nullptr && c < a.h) tokens[u] = load<N>(token + c);
      if (position != nullptr && c < a.h) positions[u] = load<N>(position + c);
    }
#pragma unroll
    for (int u = 0; u < kForwardInFlight; ++u) {
      float sum[N];
#pragma unroll
      for (int i = 0; i < N; ++i) sum[i] = tokens[u][i] + positions[u][i];
      const int64_t c = first + u * kStep;
      if (c < a.h) store(y + c, rounded<T>(sum));
    }
  }
}

template <class T>
void embedding_forward(const Context& context, const EmbeddingForward<T>& a) {
  const LaunchShape shape{
      .blocks = static_cast<unsigned>((a.n + kForwardWarps - 1) / kForwardWarps),
      .threads = kForwardWarps * kWarp};
  with_width<T>(whole_packs<T>(a.h) && aligned(a.token, a.position, a.y), [&](auto width) {
    launch(context, "embedding forward", shape, embed<T, width>, a);
  });
}

}  // namespace

void register_embedding_own(VariantList& list) {
  list.add<float, bfloat16>("embedding", "own", DeviceKind::cuda, []<class T>(Ops<T>& ops) {
    ops.embedding_forward = embedding_forward<T>;
    ops.embedding_backward = embedding_backward<T>;
  });
}

}  // namespace bench::kernels::cuda
