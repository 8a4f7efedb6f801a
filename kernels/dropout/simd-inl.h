// Vector code of dropout, read once for each instruction set.
#include "kernels/cpu/pairs-inl.h"

HWY_BEFORE_NAMESPACE();
namespace bench::kernels::cpu::HWY_NAMESPACE {

// Counters in flight: the rounds of one are a chain of which one in flight would leave the
// processor idle for two thirds of the time.
constexpr int64_t kPhiloxChains = 3;

// philox_bits writes whole vectors of all chains: up to so many elements too many.
constexpr int64_t kBitsSlack = kPhiloxChains * HWY_MAX_BYTES;

#if HWY_TARGET == HWY_SCALAR
HWY_INLINE void philox_bits(uint64_t seed, uint64_t first, int64_t size, uint16_t* bits) {
  for (int64_t i = 0; i < size; ++i) {
    const uint64_t position = first * kPhiloxElements + static_cast<uint64_t>(i);
    bits[i] = static_cast<uint16_t>(kernels::dropout_bits(seed, position));
  }
}
#else
// Philox4x32-10 with a counter in each lane of 64 bits. Of a lane only the lower half counts: the
// products of the lower halves are all that the rounds need, whatever is in the upper ones.
template <class V>
struct PhiloxWords {
  V c0, c1, c2, c3;
};

template <class D, class V>
HWY_INLINE void philox_round(D d, PhiloxWords<V>& c, V key0, V key1) {
  const hn::Repartition<uint32_t, D> d32;
  const V p0 = hn::MulEven(hn::BitCast(d32, c.c0), hn::Set(d32, Philox::kMultiplier0));
  const V p1 = hn::MulEven(hn::BitCast(d32, c.c2), hn::Set(d32, Philox::kMultiplier1));
  c.c0 = hn::Xor(hn::Xor(hn::ShiftRight<32>(p1), c.c1), key0);
  c.c2 = hn::Xor(hn::Xor(hn::ShiftRight<32>(p0), c.c3), key1);
  c.c1 = p1;
  c.c3 = p0;
}

// The eight elements of each counter, in order.
template <class D, class V>
HWY_INLINE void store_philox(D d, const PhiloxWords<V>& c, uint16_t* bits) {
  const hn::Repartition<uint32_t, D> d32;
  const auto two_words = [&](V low, V high) HWY_ATTR {
    return hn::BitCast(
        d, hn::OddEven(hn::BitCast(d32, hn::ShiftLeft<32>(high)), hn::BitCast(d32, low)));
  };
  hn::StoreInterleaved2(two_words(c.c0, c.c1), two_words(c.c2, c.c3), d,
                        reinterpret_cast<uint64_t*>(bits));
}

// The bits of so many elements from block `first` on, in the order of dropout_bits().
HWY_INLINE void philox_bits(uint64_t seed, uint64_t first, int64_t size, uint16_t* bits) {
  using D = hn::ScalableTag<uint64_t>;
  const D d;
  const int64_t blocks = static_cast<int64_t>(hn::Lanes(d));
  uint64_t key0[Philox::kRounds], key1[Philox::kRounds];
  for (uint32_t round = 0; round < Philox::kRounds; ++round) {
    key0[round] = static_cast<uint32_t>(seed) + round * Philox::kWeyl0;
    key1[round] = static_cast<uint32_t>(seed >> 32) + round * Philox::kWeyl1;
  }
  const auto each = hn::Set(d, static_cast<uint64_t>(blocks));
  auto next = hn::Iota(d, first);
  for (int64_t i = 0; i < size; i += kPhiloxChains * 8 * blocks) {
    PhiloxWords<hn::Vec<D>> c[kPhiloxChains];
#pragma GCC unroll 4
    for (auto& chain : c) {
      chain = {next, hn::ShiftRight<32>(next), hn::Zero(d), hn::Zero(d)};
      next = hn::Add(next, each);
    }
#pragma GCC unroll 1
    for (int round = 0; round < Philox::kRounds; ++round) {
      const auto k0 = hn::Set(d, key0[round]), k1 = hn::Set(d, key1[round]);
#pragma GCC unroll 4
      for (auto& chain : c) philox_round(d, chain, k0, k1);
    }
#pragma GCC unroll 4
    for (int64_t k = 0; k < kPhiloxChains; ++k) store_philox(d, c[k], bits + i + k * 8 * blocks);
  }
}
#endif

inline void fill_dropout_bits(uint64_t seed, uint64_t position, int64_t size, uint16_t* bits) {
  const int64_t whole = size / kBitsSlack * kBitsSlack;
  philox_bits(seed, position / 8, whole, bits);
  alignas(64) uint16_t rest[2 * kBitsSlack];
  philox_bits(seed, (position + static_cast<uint64_t>(whole)) / 8, size - whole, rest);
  std::copy_n(rest, size - whole, bits + whole);
}

// 1 where the element is kept, 0 where it is dropped.
template <class W>
HWY_INLINE void mask_of_bits(const uint16_t* bits, uint32_t threshold, int64_t size, W* mask) {
  const hn::ScalableTag<float> d;
  const hn::Rebind<uint16_t, decltype(d)> d16;
  const hn::Rebind<int32_t, decltype(d)> d32;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
  const auto below = hn::Set(d32, static_cast<int32_t>(threshold) - 1);
  int64_t i = 0;
  if constexpr (std::is_same_v<W, float>) {
    for (; i + lanes <= size; i += lanes) {
      const auto kept = hn::Gt(hn::PromoteTo(d32, hn::LoadU(d16, bits + i)), below);
      hn::StoreU(hn::IfThenElseZero(hn::RebindMask(d, kept), hn::Set(d, 1.0f)), d, mask + i);
    }
  }
  for (; i < size; ++i) mask[i] = bits[i] >= threshold ? W(1) : W(0);
}

HWY_INLINE void mask_of_bits(const uint16_t* bits, uint32_t threshold, int64_t size,
                             bfloat16* mask) {
  const hn::ScalableTag<uint16_t> d;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
  const auto least = hn::Set(d, static_cast<uint16_t>(threshold));
  const auto one = hn::Set(d, bfloat16(1.0f).bits);
  auto* const to = reinterpret_cast<uint16_t*>(mask);
  int64_t i = 0;
  for (; i + lanes <= size; i += lanes) {
    const auto kept = hn::Eq(hn::Max(hn::LoadU(d, bits + i), least), hn::LoadU(d, bits + i));
    hn::StoreU(hn::And(hn::VecFromMask(d, kept), one), d, to + i);
  }
  for (; i < size; ++i) to[i] = bits[i] >= threshold ? bfloat16(1.0f).bits : uint16_t{0};
}

// Elements whose masks are made at a time: little enough to stay in the first cache.
constexpr int64_t kDropoutChunk = 1024;

template <class T>
struct MaskMemory {
  alignas(64) uint16_t bits[kDropoutChunk + 8 + kBitsSlack];
  alignas(64) T mask[kDropoutChunk + 8];
};

// The mask of `size` elements from `position` on, at most a chunk.
template <class T, class Args>
HWY_INLINE const T* dropout_mask(const Args& a, uint64_t position, int64_t size,
                                 MaskMemory<T>& memory) {
  const auto before = static_cast<int64_t>(position % kPhiloxElements);
  philox_bits(a.seed, position / kPhiloxElements, before + size, memory.bits);
  mask_of_bits(memory.bits, dropout_threshold(a.rate), before + size, memory.mask);
  return memory.mask + before;
}

// body(r, c, size, mask) for the pieces of the part's rows.
template <class T, class Args, class Body>
HWY_INLINE void for_masked(const Args& a, const Part& part, const Body& body) {
  MaskMemory<T> memory;
  const bool all = dropout_threshold(a.rate) == 0;
  std::fill_n(memory.mask, kDropoutChunk, T(1));
  for (int64_t r = part.begin; r < part.end; ++r) {
    for (int64_t c = 0; c < a.h; c += kDropoutChunk) {
      const int64_t size = HWY_MIN(a.h - c, kDropoutChunk);
      const uint64_t position = a.offset + static_cast<uint64_t>(r * a.h + c);
      body(r, c, size, all ? memory.mask : dropout_mask<T>(a, position, size, memory));
    }
  }
}

template <class T, bool kStream>
HWY_INLINE void dropout_forward_rows(const DropoutForward<T>& a, const Part& part) {
  const auto scale = static_cast<Wide<T>>(dropout_scale(a.rate));
  const auto kept = [scale](auto d, auto in, auto bias, auto mask) HWY_ATTR {
    return hn::Mul(hn::Mul(hn::Add(in, bias), hn::Set(d, scale)), mask);
  };
  for_masked<T>(a, part, [&](int64_t r, int64_t c, int64_t size, const T* mask) HWY_ATTR {
    const int64_t at = r * a.h + c;
    if (a.residual == nullptr) {
      const auto drop = [&](auto d, int64_t, auto in, auto bias, auto m)
                            HWY_ATTR { return kept(d, in, bias, m); };
      map_pairs<T, kStream>(size, a.y + at, drop, Nothing(), a.x + at, a.bias + c, mask);
      return;
    }
    const auto drop = [&](auto d, int64_t, auto in, auto bias, auto m, auto residual)
                          HWY_ATTR { return hn::Add(kept(d, in, bias, m), residual); };
    map_pairs<T, kStream>(size, a.y + at, drop, Nothing(), a.x + at, a.bias + c, mask,
                          a.residual + at);
  });
}

template <class T>
void dropout_forward_part(const DropoutForward<T>& a, const Part& part, bool stream) {
  if (stream) {
    dropout_forward_rows<T, true>(a, part);
    hwy::FlushStream();
  } else {
    dropout_forward_rows<T, false>(a, part);
  }
}

template <class T, bool kStream>
HWY_INLINE void dropout_backward_rows(const DropoutBackward<T>& a, const Part& part,
                                      Wide<T>* sums) {
  const auto scale = static_cast<Wide<T>>(dropout_scale(a.rate));
  for_masked<T>(a, part, [&](int64_t r, int64_t c, int64_t size, const T* mask) HWY_ATTR {
    const auto drop = [&](auto d, int64_t at, auto dy, auto m) HWY_ATTR {
      const auto dx = hn::Mul(hn::Mul(dy, hn::Set(d, scale)), m);
      Wide<T>* const sum = sums + c + at;
      hn::StoreU(hn::Add(hn::LoadU(d, sum), dx), d, sum);
      return dx;
    };
    map_pairs<T, kStream>(size, a.dx + r * a.h + c, drop, Nothing(), a.dy + r * a.h + c, mask);
  });
}

template <class T>
void dropout_backward_part(const DropoutBackward<T>& a, const Part& part, bool stream,
                           Wide<T>* sums) {
  if (stream) {
    dropout_backward_rows<T, true>(a, part, sums);
    hwy::FlushStream();
  } else {
    dropout_backward_rows<T, false>(a, part, sums);
  }
}

template <class T>
DropoutParts<T> dropout_parts() {
  return {dropout_forward_part<T>, dropout_backward_part<T>, add_in_order<T>};
}

inline DropoutTables dropout_tables() {
  return {dropout_parts<float>(), dropout_parts<double>(), dropout_parts<bfloat16>()};
}

}  // namespace bench::kernels::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
