// Loops over two vectors at a time. For bfloat16 they are the even and the odd elements of what
// lies in memory: a shift and a mask take them apart, where neighbouring elements would have to be
// moved across the vector. Read once for each instruction set.
#if defined(BENCH_KERNELS_CPU_PAIRS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef BENCH_KERNELS_CPU_PAIRS_INL_H_
#undef BENCH_KERNELS_CPU_PAIRS_INL_H_
#else
#define BENCH_KERNELS_CPU_PAIRS_INL_H_
#endif

#include <hwy/cache_control.h>

#include <array>
#include <type_traits>

#include "kernels/cpu/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace bench::kernels::cpu::HWY_NAMESPACE {

template <class D>
struct Pair {
  hn::Vec<D> a, b;
};

template <class D, class T>
HWY_INLINE Pair<D> load_pair(D d, const T* from) {
  return {hn::LoadU(d, from), hn::LoadU(d, from + hn::Lanes(d))};
}

template <class D>
HWY_INLINE Pair<D> load_pair(D d, const bfloat16* from) {
#if HWY_TARGET == HWY_SCALAR
  return {load(d, from), load(d, from + 1)};
#else
  const hn::Repartition<uint16_t, D> d16;
  const hn::Repartition<uint32_t, D> d32;
  const auto both = hn::BitCast(d32, hn::LoadU(d16, reinterpret_cast<const uint16_t*>(from)));
  return {hn::BitCast(d, hn::ShiftLeft<16>(both)),
          hn::BitCast(d, hn::And(both, hn::Set(d32, 0xffff0000u)))};
#endif
}

// kStream: past the caches; `to` is a multiple of 64 bytes then.
template <bool kStream, class D, class T>
HWY_INLINE void store_whole(hn::Vec<D> v, D d, T* to) {
  if constexpr (kStream) {
    hn::Stream(v, d, to);
  } else {
    hn::StoreU(v, d, to);
  }
}

template <bool kStream, class D, class T>
HWY_INLINE void store_pair(const Pair<D>& v, D d, T* to) {
  store_whole<kStream>(v.a, d, to);
  store_whole<kStream>(v.b, d, to + hn::Lanes(d));
}

// As rounded_to_bf16, for what was computed from bfloat16: a NaN that came from there, or from the
// arithmetic, has zeros in its lower half and stays one.
template <class D>
HWY_INLINE hn::Vec<hn::Repartition<uint32_t, D>> rounded_from_bf16([[maybe_unused]] D d,
                                                                   hn::Vec<D> v) {
  const hn::Repartition<uint32_t, D> d32;
  const auto bits = hn::BitCast(d32, v);
  const auto odd = hn::And(hn::ShiftRight<16>(bits), hn::Set(d32, 1u));
  return hn::Add(hn::Add(bits, hn::Set(d32, 0x7fffu)), odd);
}

template <bool kStream, class D>
HWY_INLINE void store_pair(const Pair<D>& v, D d, bfloat16* to) {
#if HWY_TARGET == HWY_SCALAR
  store(v.a, d, to);
  store(v.b, d, to + 1);
#else
  const hn::Repartition<uint16_t, D> d16;
  const auto low = hn::ShiftRight<16>(rounded_from_bf16(d, v.a));
  const auto both = hn::OddEven(hn::BitCast(d16, rounded_from_bf16(d, v.b)), hn::BitCast(d16, low));
  store_whole<kStream>(both, d16, reinterpret_cast<uint16_t*>(to));
#endif
}

// A whole vector of Wide<T>, at a multiple of its size in T, past the caches where the processor
// can do so with a vector this small.
template <class D, class T>
HWY_INLINE void stream(hn::Vec<D> v, D d, T* to) {
  hn::Stream(v, d, to);
}

template <class D>
HWY_INLINE void stream(hn::Vec<D> v, D d, bfloat16* to) {
  const hn::Rebind<uint16_t, D> d16;
  if constexpr (hn::MaxLanes(d16) >= 8) {
    hn::Stream(to_bf16(d, v), d16, reinterpret_cast<uint16_t*>(to));
  } else {
    store(v, d, to);
  }
}

// Elements that one step of the loops below covers.
template <class T>
HWY_INLINE int64_t pair_lanes() {
  return 2 * static_cast<int64_t>(hn::Lanes(hn::ScalableTag<Wide<T>>()));
}

// out[i] = f(d, at, in[i]...) for i in [0, size). `at` is where a vector of Wide<T> beside the data
// has its place: with T = bfloat16 not in the order of the elements (add_in_order). `ahead(i)` is
// called once a step. kStream: FlushStream is left to the caller, after its last row.
template <class T, bool kStream, class F, class Ahead, class... In>
HWY_INLINE void map_pairs(int64_t size, T* out, const F& f, const Ahead& ahead, const In*... in) {
  using D = hn::ScalableTag<Wide<T>>;
  using One = hn::CappedTag<Wide<T>, 1>;
  const D d;
  const One one;
  const int64_t step = pair_lanes<T>();
  int64_t i = 0;
  for (; i + step <= size; i += step) {
    ahead(i);
    const auto both = [&](const auto&... v) HWY_ATTR {
      return Pair<D>{f(d, i, v.a...), f(d, i + step / 2, v.b...)};
    };
    store_pair<kStream>(both(load_pair(d, in + i)...), d, out + i);
  }
  for (; i < size; ++i) store(f(one, i, load(one, in + i)...), one, out + i);
}

struct Nothing {
  HWY_INLINE void operator()(int64_t) const {}
};

template <class T, class F, class... In>
HWY_INLINE void map_pairs(int64_t size, T* out, const F& f, const In*... in) {
  map_pairs<T, false>(size, out, f, Nothing(), in...);
}

// body(d, at, in[i]...) for i in [0, size), to fill blocks of Wide<T> at their places. A long chain
// of operations is better taken in several loops over a block in the first cache: of one loop the
// processor's scheduler holds little more than a step, whose operations wait for each other.
template <class T, class Body, class... In>
HWY_INLINE void visit_pairs(int64_t size, const Body& body, const In*... in) {
  const hn::ScalableTag<Wide<T>> d;
  const hn::CappedTag<Wide<T>, 1> one;
  const int64_t step = pair_lanes<T>();
  int64_t i = 0;
  for (; i + step <= size; i += step) {
    const auto both = [&](const auto&... v) HWY_ATTR {
      body(d, i, v.a...);
      body(d, i + step / 2, v.b...);
    };
    both(load_pair(d, in + i)...);
  }
  for (; i < size; ++i) body(one, i, load(one, in + i)...);
}

// K sums over i in [0, size): f(d, at, sums, in[i]...) adds to sums[0, K). Four chains each hide
// the latency of an addition.
template <class T, size_t K, class F, class Ahead, class... In>
HWY_INLINE std::array<Wide<T>, K> sum_pairs(int64_t size, const F& f, const Ahead& ahead,
                                            const In*... in) {
  using D = hn::ScalableTag<Wide<T>>;
  using One = hn::CappedTag<Wide<T>, 1>;
  const D d;
  const One one;
  const int64_t step = pair_lanes<T>();
  hn::Vec<D> a[K], b[K], c[K], e[K];
  for (size_t k = 0; k < K; ++k) a[k] = b[k] = c[k] = e[k] = hn::Zero(d);
  int64_t i = 0;
  const auto add = [&](int64_t at, auto& x, auto& y) HWY_ATTR {
    ahead(at);
    const auto both = [&](const auto&... v) HWY_ATTR {
      f(d, at, x, v.a...);
      f(d, at + step / 2, y, v.b...);
    };
    both(load_pair(d, in + at)...);
  };
  for (; i + 2 * step <= size; i += 2 * step) {
    add(i, a, b);
    add(i + step, c, e);
  }
  for (; i + step <= size; i += step) add(i, a, b);
  hn::Vec<One> rest[K];
  for (size_t k = 0; k < K; ++k) rest[k] = hn::Zero(one);
  for (; i < size; ++i) f(one, i, rest, load(one, in + i)...);
  std::array<Wide<T>, K> sums;
  for (size_t k = 0; k < K; ++k) {
    const auto whole = hn::SumOfLanes(d, hn::Add(hn::Add(a[k], b[k]), hn::Add(c[k], e[k])));
    sums[k] = hn::GetLane(whole) + hn::GetLane(rest[k]);
  }
  return sums;
}

// to[i] += sums[i], where `sums` was filled at the places that map_pairs names for T.
template <class T>
void add_in_order(int64_t size, const Wide<T>* sums, Wide<T>* to) {
  const int64_t step = pair_lanes<T>(), half = step / 2;
  int64_t i = 0;
  if constexpr (std::is_same_v<T, bfloat16>) {
    for (; i + step <= size; i += step) {
      for (int64_t k = 0; k < half; ++k) {
        to[i + 2 * k] += sums[i + k];
        to[i + 2 * k + 1] += sums[i + half + k];
      }
    }
  }
  for (; i < size; ++i) to[i] += sums[i];
}

// Brings the lines of [from, from + a step) nearer.
template <class T>
HWY_INLINE void prefetch_step(const T* from) {
  const auto* const bytes = reinterpret_cast<const char*>(from);
  const int64_t size = pair_lanes<T>() * static_cast<int64_t>(sizeof(T));
  for (int64_t at = 0; at < size; at += 64) hwy::Prefetch(bytes + at);
}

}  // namespace bench::kernels::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
