// What the vector code of the ops has in common. Read once for each instruction set (Highway's
// foreach_target), hence the toggling guard in place of #pragma once.
#if defined(BENCH_KERNELS_CPU_SIMD_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef BENCH_KERNELS_CPU_SIMD_INL_H_
#undef BENCH_KERNELS_CPU_SIMD_INL_H_
#else
#define BENCH_KERNELS_CPU_SIMD_INL_H_
#endif

#include <hwy/contrib/math/math-inl.h>
#include <hwy/highway.h>

#include <cstdint>
#include <limits>

#include "kernels/args.h"
#include "kernels/cpu/exp-inl.h"

HWY_BEFORE_NAMESPACE();
namespace bench::kernels::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Lanes of d from and to memory that may hold a narrower type, rounded to the nearest, ties to
// even.
template <class D, class T>
HWY_INLINE hn::Vec<D> load([[maybe_unused]] D d, const T* from) {
  return hn::LoadU(d, from);
}

template <class D>
HWY_INLINE hn::Vec<D> load(D d, const bfloat16* from) {
  const hn::Rebind<uint16_t, D> d16;
  const hn::Rebind<uint32_t, D> d32;
  const auto bits = hn::LoadU(d16, reinterpret_cast<const uint16_t*>(from));
  return hn::BitCast(d, hn::ShiftLeft<16>(hn::PromoteTo(d32, bits)));
}

template <class D, class T>
HWY_INLINE void store(hn::Vec<D> v, D d, T* to) {
  hn::StoreU(v, d, to);
}

// The bits of v rounded to bfloat16 in the upper half of each lane, the lower half undefined. A NaN
// becomes one of all ones: rounding up could make infinity, or zero, of it.
template <class D>
HWY_INLINE hn::Vec<hn::Repartition<uint32_t, D>> rounded_to_bf16([[maybe_unused]] D d,
                                                                 hn::Vec<D> v) {
  const hn::Repartition<uint32_t, D> d32;
  const auto bits = hn::BitCast(d32, v);
  const auto odd = hn::And(hn::ShiftRight<16>(bits), hn::Set(d32, 1u));
  const auto nearest = hn::Add(hn::Add(bits, hn::Set(d32, 0x7fffu)), odd);
  return hn::Or(nearest, hn::BitCast(d32, hn::VecFromMask(d, hn::IsNaN(v))));
}

template <class D>
HWY_INLINE hn::Vec<hn::Rebind<uint16_t, D>> to_bf16(D d, hn::Vec<D> v) {
  const hn::Repartition<int32_t, D> signed32;
  return hn::DemoteTo(hn::Rebind<uint16_t, D>(),
                      hn::BitCast(signed32, hn::ShiftRight<16>(rounded_to_bf16(d, v))));
}

template <class D>
HWY_INLINE void store(hn::Vec<D> v, [[maybe_unused]] D d, bfloat16* to) {
  hn::StoreU(to_bf16(d, v), hn::Rebind<uint16_t, D>(), reinterpret_cast<uint16_t*>(to));
}

// body(d, i) over [begin, end), d a tag of Wide<T>: whole vectors, then single lanes, so that
// nothing past the end is touched.
template <class T, class Body>
HWY_INLINE void for_vectors(int64_t begin, int64_t end, const Body& body) {
  const hn::ScalableTag<Wide<T>> d;
  const hn::CappedTag<Wide<T>, 1> one;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
  int64_t i = begin;
  for (; i + lanes <= end; i += lanes) body(d, i);
  for (; i < end; ++i) body(one, i);
}

// combine over [begin, end) of term(d, i), starting from `start`. Four chains hide the latency of
// an addition.
template <class T, class Term, class Combine, class Across>
HWY_INLINE T reduce(int64_t begin, int64_t end, T start, const Term& term, const Combine& combine,
                    const Across& across) {
  const hn::ScalableTag<T> d;
  const hn::CappedTag<T, 1> one;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
  auto a = hn::Set(d, start), b = a, c = a, e = a;
  int64_t i = begin;
  for (; i + 4 * lanes <= end; i += 4 * lanes) {
    a = combine(a, term(d, i));
    b = combine(b, term(d, i + lanes));
    c = combine(c, term(d, i + 2 * lanes));
    e = combine(e, term(d, i + 3 * lanes));
  }
  for (; i + lanes <= end; i += lanes) a = combine(a, term(d, i));
  auto rest = hn::Set(one, start);
  for (; i < end; ++i) rest = combine(rest, term(one, i));
  const auto whole = across(d, combine(combine(a, b), combine(c, e)));
  return hn::GetLane(combine(hn::Set(one, hn::GetLane(whole)), rest));
}

template <class T, class Term>
HWY_INLINE T sum_of(int64_t begin, int64_t end, const Term& term) {
  return reduce<T>(
      begin, end, T(0), term, [](auto x, auto y) HWY_ATTR { return hn::Add(x, y); },
      [](auto d, auto v) HWY_ATTR { return hn::SumOfLanes(d, v); });
}

// -inf where there is nothing.
template <class T, class Term>
HWY_INLINE T max_of(int64_t begin, int64_t end, const Term& term) {
  return reduce<T>(
      begin, end, -std::numeric_limits<T>::infinity(), term,
      [](auto x, auto y) HWY_ATTR { return hn::Max(x, y); },
      [](auto d, auto v) HWY_ATTR { return hn::MaxOfLanes(d, v); });
}

// e^x for x <= 88; 0 below -87.6 (double: -708.7); NaN for NaN. With C's own constants of 2e-7
// (1 + |x| / 10) in float: two operations fewer than fast_exp, for what is added to or held against
// numbers near one.
template <class C, class D, class V>
HWY_INLINE V exp_with(D d, V x) {
  using T = hn::TFromD<D>;
  const auto rounder = hn::Set(d, kExp2Rounder<T>);
  const auto log2e = hn::Set(d, T(1.4426950408889634074));
  const auto limited = hn::Max(hn::Set(d, C::kBias * T(-0.69314718055994530942)), x);
  const auto biased = hn::MulAdd(limited, log2e, rounder);
  return scaled_exp2<C>(d, biased, hn::MulSub(limited, log2e, hn::Sub(biased, rounder)));
}

template <class D, class V>
HWY_INLINE V exp_of(D d, V x) {
  return exp_with<Exp2Constants<hn::TFromD<D>>>(d, x);
}

// 1/v for v in [1, 2^115]: in float the processor's estimate, of at least 11 bits, and a Newton
// step; 2e-7.
template <class D, class V>
HWY_INLINE V reciprocal(D d, V v) {
  if constexpr (sizeof(hn::TFromD<D>) == 4) {
    const V estimate = hn::ApproximateReciprocal(v);
    return hn::Mul(estimate, hn::NegMulAdd(v, estimate, hn::Set(d, 2.0f)));
  } else {
    return hn::Div(hn::Set(d, 1.0), v);
  }
}

// How exactly what will be stored as T is computed: for bfloat16, whose rounding is of 4e-3, an
// error of 5e-4 is let in where it saves instructions.
template <class T>
struct Precision {
  using Exp2 = Exp2Constants<T>;
  template <class D, class V>
  static HWY_INLINE V reciprocal(D d, V v) {
    return HWY_NAMESPACE::reciprocal(d, v);
  }
};

template <>
struct Precision<bfloat16> {
  using Exp2 = Exp2OfThreeTerms;
  template <class D, class V>
  static HWY_INLINE V reciprocal(D d, V v) {
#if HWY_ARCH_X86 && HWY_TARGET != HWY_SCALAR
    return hn::ApproximateReciprocal(v);  // 11 bits; elsewhere it may be 8
#else
    return HWY_NAMESPACE::reciprocal(d, v);
#endif
  }
};

}  // namespace bench::kernels::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
