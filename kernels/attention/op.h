#pragma once
// Causal self-attention (Vaswani 2017, section 3.2.1), heads side by side in qkv [rows, heads, 3,
// d].

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <type_traits>
#include <vector>

#include "bench/device/context.h"
#include "kernels/args.h"
#include "kernels/rounding.h"

namespace bench::kernels {

// Head `head` of sequence `b`: row r of q, k, v (part 0, 1, 2) of [batch*seq, heads, 3, d].
template <class Args>
int64_t qkv_offset(const Args& a, int64_t b, int64_t r, int64_t head, int64_t part) {
  return (((b * a.seq + r) * a.heads + head) * 3 + part) * a.d;
}

// Probabilities p[0..query] of one query.
template <class Args>
std::vector<double> reference_probabilities(const Args& a, int64_t b, int64_t head, int64_t query) {
  const auto* const q = a.qkv + qkv_offset(a, b, query, head, 0);
  std::vector<double> p(query + 1);
  for (int64_t j = 0; j <= query; ++j) {
    const auto* const k = a.qkv + qkv_offset(a, b, j, head, 1);
    for (int64_t c = 0; c < a.d; ++c) p[j] += static_cast<double>(q[c]) * k[c];
    p[j] /= std::sqrt(static_cast<double>(a.d));
  }
  const double most = *std::max_element(p.begin(), p.end());
  double sum = 0;
  for (double& x : p) sum += x = std::exp(x - most);
  for (double& x : p) x /= sum;
  return p;
}

// Leaves `saved` alone: the reference of the backward starts from qkv.
template <class T>
void reference_attention_forward(const AttentionForward<T>& a) {
  for (int64_t b = 0; b < a.batch; ++b) {
    for (int64_t head = 0; head < a.heads; ++head) {
      for (int64_t i = 0; i < a.seq; ++i) {
        const auto p = reference_probabilities(a, b, head, i);
        for (int64_t c = 0; c < a.d; ++c) {
          double y = 0;
          for (int64_t j = 0; j <= i; ++j) y += p[j] * a.qkv[qkv_offset(a, b, j, head, 2) + c];
          a.out[((b * a.seq + i) * a.heads + head) * a.d + c] = static_cast<T>(y);
        }
      }
    }
  }
}

// dv[j] = sum_i p[i,j] do[i];  dp[i,j] = do[i]·v[j];  ds = p (dp - sum_j p dp) / sqrt(d);
// dq[i] = sum_j ds[i,j] k[j];  dk[j] = sum_i ds[i,j] q[i].
template <class T>
void reference_attention_backward(const AttentionBackward<T>& a) {
  std::vector<double> grad(a.batch * a.seq * a.heads * 3 * a.d);
  for (int64_t b = 0; b < a.batch; ++b) {
    for (int64_t head = 0; head < a.heads; ++head) {
      for (int64_t i = 0; i < a.seq; ++i) {
        const T* const d_out = a.d_out + ((b * a.seq + i) * a.heads + head) * a.d;
        const auto p = reference_probabilities(a, b, head, i);
        std::vector<double> dp(i + 1);
        double mean = 0;
        for (int64_t j = 0; j <= i; ++j) {
          const int64_t v = qkv_offset(a, b, j, head, 2);
          for (int64_t c = 0; c < a.d; ++c) dp[j] += static_cast<double>(d_out[c]) * a.qkv[v + c];
          for (int64_t c = 0; c < a.d; ++c) grad[v + c] += p[j] * d_out[c];
          mean += p[j] * dp[j];
        }
        const int64_t q = qkv_offset(a, b, i, head, 0);
        for (int64_t j = 0; j <= i; ++j) {
          const int64_t k = qkv_offset(a, b, j, head, 1);
          const double ds = p[j] * (dp[j] - mean) / std::sqrt(static_cast<double>(a.d));
          for (int64_t c = 0; c < a.d; ++c) grad[q + c] += ds * a.qkv[k + c];
          for (int64_t c = 0; c < a.d; ++c) grad[k + c] += ds * a.qkv[q + c];
        }
      }
    }
  }
  for (size_t i = 0; i < grad.size(); ++i) a.d_qkv[i] = static_cast<T>(grad[i]);
}

template <class T>
double attention_tolerance(int64_t seq, int64_t d) {
  return 2 * sum_tolerance<T>(seq + d);
}

namespace cpu {

// Products and softmax as separate passes; the probabilities [batch, heads, seq, seq] are saved.
// T is float or double.
template <class T>
void attention_forward_unfused(const Context&, const AttentionForward<T>&);
template <class T>
void attention_backward_unfused(const Context&, const AttentionBackward<T>&);
template <class T>
int64_t attention_saved_bytes_unfused(int64_t batch, int64_t seq, int64_t heads, int64_t d);

// Tile by tile, without a matrix of all scores (Dao 2022; Dao 2023): of the softmax only the
// logarithm of each row's sum of exponentials is saved, [batch, heads, seq], base 2. Memory of a
// thread grows with seq · d.
template <class T>
void attention_forward_flash(const Context&, const AttentionForward<T>&);
template <class T>
void attention_backward_flash(const Context&, const AttentionBackward<T>&);
template <class T>
int64_t attention_saved_bytes_flash(int64_t batch, int64_t seq, int64_t heads, int64_t d);

}  // namespace cpu

namespace cuda {

// Tile by tile (Dao 2022; Dao 2023), by code of our own: in bfloat16 on the tensor cores, in float
// on the CUDA cores, d at most kMostTilesHead. Saved is the logarithm, base 2, of each row's sum of
// exponentials: float [batch, heads, seq]. What is masked but lies in a tile with attended keys is
// multiplied by zero: a NaN or infinity among its values reaches earlier queries of that tile.
void attention_forward_tiles(const Context&, const AttentionForward<float>&);
void attention_forward_tiles(const Context&, const AttentionForward<bfloat16>&);
void attention_backward_tiles(const Context&, const AttentionBackward<float>&);
void attention_backward_tiles(const Context&, const AttentionBackward<bfloat16>&);
int64_t attention_saved_bytes_tiles(int64_t batch, int64_t seq, int64_t heads, int64_t d);
template <class T>
constexpr int64_t kMostTilesHead = std::is_same_v<T, bfloat16> ? 128 : 256;

// The same by instructions that only Hopper has (Shah 2024), d 64 or 128. Throws EnvironmentError
// on another device.
void attention_forward_hopper(const Context&, const AttentionForward<bfloat16>&);
void attention_backward_hopper(const Context&, const AttentionBackward<bfloat16>&);

}  // namespace cuda
}  // namespace bench::kernels
