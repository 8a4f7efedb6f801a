#pragma once
// The words of CUDA C++ that the kernels use, for the CPU's compiler. To be included before them.

#include <bit>
#include <cmath>
#include <cstdint>
#include <functional>

#include "tests/cuda_emulation/block.h"

#define __global__
#define __device__
#define __host__
#define __forceinline__ inline
#define __grid_constant__
#define __launch_bounds__(...)
#define __shared__ static  // blocks run one after the other

struct alignas(16) uint4 {
  uint32_t x, y, z, w;
};
struct alignas(8) uint2 {
  uint32_t x, y;
};
struct alignas(16) float4 {
  float x, y, z, w;
};
struct alignas(8) float2 {
  float x, y;
};
inline uint4 make_uint4(uint32_t x, uint32_t y, uint32_t z, uint32_t w) { return {x, y, z, w}; }
inline float2 make_float2(float x, float y) { return {x, y}; }
inline uint2 make_uint2(uint32_t x, uint32_t y) { return {x, y}; }
inline float4 make_float4(float x, float y, float z, float w) { return {x, y, z, w}; }

namespace bench::emulation {

struct Index {
  unsigned x;
};
// Of the thread that is running.
struct ThreadIndex {
  struct X {
    operator unsigned() const { return static_cast<unsigned>(block().thread()); }
  } x;
  static constexpr unsigned y = 0;
};
struct BlockExtents {
  struct X {
    operator unsigned() const { return static_cast<unsigned>(block().threads()); }
  } x;
};

template <class T>
T from_lane_xor(T value, int mask) {
  struct Lane {
    T in, out;
  } lane{value, value};
  block().exchange(&lane, [&](const auto& lanes) {
    for (size_t i = 0; i < kWarp; ++i) {
      static_cast<Lane*>(lanes[i])->out =
          static_cast<const Lane*>(lanes[i ^ static_cast<size_t>(mask)])->in;
    }
  });
  return lane.out;
}

inline bool any_lane(bool says) {
  bool any = says;
  block().exchange(&any, [](const auto& lanes) {
    bool all = false;
    for (const void* lane : lanes) all |= *static_cast<const bool*>(lane);
    for (void* lane : lanes) *static_cast<bool*>(lane) = all;
  });
  return any;
}

}  // namespace bench::emulation

inline const bench::emulation::ThreadIndex threadIdx;
inline const bench::emulation::BlockExtents blockDim;
inline bench::emulation::Index blockIdx, gridDim;

inline void __syncthreads() {
  bench::emulation::block().meet(0, bench::emulation::block().threads());
}
inline void __syncwarp() { bench::emulation::any_lane(false); }
template <class T>
T __shfl_xor_sync(unsigned, T value, int mask) {
  return bench::emulation::from_lane_xor(value, mask);
}
inline bool __any_sync(unsigned, bool says) { return bench::emulation::any_lane(says); }
inline float __uint_as_float(uint32_t bits) { return std::bit_cast<float>(bits); }
inline uint32_t __float_as_uint(float x) { return std::bit_cast<uint32_t>(x); }
inline void __stcs(uint4* to, uint4 value) { *to = value; }
inline uint32_t __cvta_generic_to_shared(const void* memory) {
  return bench::emulation::block().address_of(memory);
}
template <class T>
T atomicAdd(T* to, T value) {
  const T before = *to;
  *to += value;
  return before;
}

namespace bench::emulation {

// kernel() by each block of a grid, one after the other.
inline void launch(int64_t blocks, int threads, size_t shared_bytes,
                   const std::function<void()>& kernel) {
  gridDim.x = static_cast<unsigned>(blocks);
  for (blockIdx.x = 0; blockIdx.x < gridDim.x; ++blockIdx.x)
    block().run(threads, shared_bytes, kernel);
}

}  // namespace bench::emulation
