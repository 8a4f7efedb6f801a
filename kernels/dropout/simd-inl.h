// Vector code of dropout, read once for each instruction set.
#include "kernels/cpu/pairs-inl.h"

HWY_BEFORE_NAMESPACE();
namespace bench::kernels::cpu::HWY_NAMESPACE {

// philox_bits writes whole vectors: up to so many elements too many.
constexpr int64_t kBitsSlack = HWY_MAX_BYTES;

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
HWY_INLINE PhiloxWords<V> philox_random(D d, V block, uint64_t seed) {
  const hn::Repartition<uint32_t, D> d32;
  const auto times = [&](V v, uint32_t factor) HWY_ATTR {
    return hn::MulEven(hn::BitCast(d32, v), hn::Set(d32, factor));
  };
  PhiloxWords<V> c{block, hn::ShiftRight<32>(block), hn::Zero(d), hn::Zero(d)};
  auto key0 = static_cast<uint32_t>(seed), key1 = static_cast<uint32_t>(seed >> 32);
#pragma GCC unroll 10
  for (int round = 0; round < Philox::kRounds; ++round) {
    const V p0 = times(c.c0, Philox::kMultiplier0), p1 = times(c.c2, Philox::kMultiplier1);
    c.c0 = hn::Xor(hn::Xor(hn::ShiftRight<32>(p1), c.c1), hn::Set(d, uint64_t{key0}));
    c.c2 = hn::Xor(hn::Xor(hn::ShiftRight<32>(p0), c.c3), hn::Set(d, uint64_t{key1}));
    c.c1 = p1;
    c.c3 = p0;
    key0 += Philox::kWeyl0;
    key1 += Philox::kWeyl1;
  }
  return c;
}

// The bits of so many elements from block `first` on, in the order of dropout_bits().
HWY_INLINE void philox_bits(uint64_t seed, uint64_t first, int64_t size, uint16_t* bits) {
  using D = hn::ScalableTag<uint64_t>;
  const D d;
  const hn::Repartition<uint32_t, D> d32;
  const int64_t blocks = static_cast<int64_t>(hn::Lanes(d));
  for (int64_t i = 0; i < size; i += 8 * blocks) {
    const auto block = hn::Iota(d, first + static_cast<uint64_t>(i / 8));
    const auto c = philox_random(d, block, seed);
    const auto two_words = [&](auto low, auto high) HWY_ATTR {
      return hn::BitCast(
          d, hn::OddEven(hn::BitCast(d32, hn::ShiftLeft<32>(high)), hn::BitCast(d32, low)));
    };
    hn::StoreInterleaved2(two_words(c.c0, c.c1), two_words(c.c2, c.c3), d,
                          reinterpret_cast<uint64_t*>(bits + i));
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
template <class T>
HWY_INLINE void mask_of_bits(const uint16_t* bits, uint32_t threshold, int64_t size, T* mask) {
  for (int64_t i = 0; i < size; ++i) mask[i] = static_cast<T>(bits[i] >= threshold ? 1 : 0);
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
