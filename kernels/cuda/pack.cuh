#pragma once
// N neighbouring elements of T (float or bfloat16) as they lie in memory, moved in accesses of up
// to 16 bytes; computed with as floats.

#include <cstdint>

#include "bench/base/bfloat16.h"
#include "kernels/cuda/device.cuh"

namespace bench::kernels::cuda {

template <class T, int N>
struct Pack {
  static constexpr int kBytes = N * static_cast<int>(sizeof(T));
  static constexpr int kWords = (kBytes + 3) / 4;
  uint32_t words[kWords];

  // For i known when compiled, as in an unrolled loop.
  __device__ float operator[](int i) const {
    if constexpr (sizeof(T) == 4) {
      return __uint_as_float(words[i]);
    } else {
      return __uint_as_float(i % 2 == 0 ? words[i / 2] << 16 : words[i / 2] & 0xffff0000u);
    }
  }
};

// As many elements as one access moves.
template <class T>
constexpr int kPackWidth = 16 / static_cast<int>(sizeof(T));

// `from`, `to`: multiples of the pack's size, or of 16 bytes where that is less.
template <int N, class T>
__device__ Pack<T, N> load(const T* from) {
  using P = Pack<T, N>;
  P p;
  if constexpr (P::kBytes == 2) {
    p.words[0] = *reinterpret_cast<const uint16_t*>(from);
  } else if constexpr (P::kBytes == 4) {
    p.words[0] = *reinterpret_cast<const uint32_t*>(from);
  } else if constexpr (P::kBytes == 8) {
    const uint2 both = *reinterpret_cast<const uint2*>(from);
    p.words[0] = both.x, p.words[1] = both.y;
  } else {
    static_assert(P::kBytes % 16 == 0);
#pragma unroll
    for (int k = 0; k < P::kWords; k += 4) {
      const uint4 four = reinterpret_cast<const uint4*>(from)[k / 4];
      p.words[k] = four.x, p.words[k + 1] = four.y;
      p.words[k + 2] = four.z, p.words[k + 3] = four.w;
    }
  }
  return p;
}

template <class T, int N>
__device__ void store(T* to, const Pack<T, N>& p) {
  using P = Pack<T, N>;
  if constexpr (P::kBytes == 2) {
    *reinterpret_cast<uint16_t*>(to) = static_cast<uint16_t>(p.words[0]);
  } else if constexpr (P::kBytes == 4) {
    *reinterpret_cast<uint32_t*>(to) = p.words[0];
  } else if constexpr (P::kBytes == 8) {
    *reinterpret_cast<uint2*>(to) = make_uint2(p.words[0], p.words[1]);
  } else {
#pragma unroll
    for (int k = 0; k < P::kWords; k += 4) {
      reinterpret_cast<uint4*>(to)[k / 4] =
          make_uint4(p.words[k], p.words[k + 1], p.words[k + 2], p.words[k + 3]);
    }
  }
}

// For i known when compiled.
template <class T, int N>
__device__ Pack<T, 1> element(const Pack<T, N>& p, int i) {
  if constexpr (sizeof(T) == 4) {
    return {{p.words[i]}};
  } else {
    return {{p.words[i / 2] >> (i % 2 * 16)}};
  }
}

template <class T, int N>
__device__ void clear(Pack<T, N>& p, int i) {
  if constexpr (sizeof(T) == 4) {
    p.words[i] = 0;
  } else {
    p.words[i / 2] &= i % 2 == 0 ? 0xffff0000u : 0x0000ffffu;
  }
}

// 16 bytes that leave the caches first.
template <class T, int N>
__device__ void store_streaming(T* to, const Pack<T, N>& p) {
  if constexpr (Pack<T, N>::kBytes == 16) {
    __stcs(reinterpret_cast<uint4*>(to),
           make_uint4(p.words[0], p.words[1], p.words[2], p.words[3]));
  } else {
    store(to, p);
  }
}

// The same for the first `count` of N elements, one by one, where they are not all there; the
// others are zero.
template <int N, class T>
__device__ Pack<T, N> load(const T* from, int count) {
  if (count >= N) return load<N>(from);
  Pack<T, N> p{};
#pragma unroll
  for (int i = 0; i < N; ++i) {
    if (i >= count) continue;
    const Pack<T, 1> one = load<1>(from + i);
    if constexpr (sizeof(T) == 4) {
      p.words[i] = one.words[0];
    } else {
      p.words[i / 2] |= one.words[0] << (i % 2 * 16);
    }
  }
  return p;
}

template <class T, int N>
__device__ void store(T* to, const Pack<T, N>& p, int count) {
  if (count >= N) return store(to, p);
#pragma unroll
  for (int i = 0; i < N; ++i) {
    if (i >= count) continue;
    store(to + i, element(p, i));
  }
}

// Rounded to T.
template <class T, int N>
__device__ Pack<T, N> rounded(const float (&v)[N]) {
  Pack<T, N> p;
  if constexpr (sizeof(T) == 4) {
#pragma unroll
    for (int i = 0; i < N; ++i) p.words[i] = __float_as_uint(v[i]);
  } else if constexpr (N == 1) {
    p.words[0] = bf16_bits(v[0]);
  } else {
#pragma unroll
    for (int i = 0; i < N; i += 2) p.words[i / 2] = bf16_pair(v[i], v[i + 1]);
  }
  return p;
}

}  // namespace bench::kernels::cuda
