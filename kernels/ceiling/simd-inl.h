// Vector code of the streams, read once for each instruction set.
#include <hwy/cache_control.h>

#include "kernels/cpu/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace bench::kernels::cpu::HWY_NAMESPACE {

// Whole vectors by `store`, the rest by ordinary stores.
template <class Value>
HWY_INLINE void store_all(const StreamPass& s, const Part& part, const Value& value) {
  const hn::ScalableTag<float> d;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
  const int64_t whole = part.begin + (part.end - part.begin) / lanes * lanes;
  if (s.non_temporal) {
    for (int64_t i = part.begin; i < whole; i += lanes) hn::Stream(value(d, i), d, s.c + i);
    hwy::FlushStream();
  } else {
    for (int64_t i = part.begin; i < whole; i += lanes) hn::StoreU(value(d, i), d, s.c + i);
  }
  const hn::CappedTag<float, 1> one;
  for (int64_t i = whole; i < part.end; ++i) hn::StoreU(value(one, i), one, s.c + i);
}

// Returns the part's sum where there is one. f32 vectors are added over chunks, the chunks in
// double.
inline double stream_part(const StreamPass& s, const Part& part) {
  const auto load_a = [&](auto d, int64_t i) HWY_ATTR { return hn::LoadU(d, s.a + i); };
  if (s.kind == StreamKind::kCopy) store_all(s, part, load_a);
  if (s.kind == StreamKind::kTriad) {
    store_all(s, part, [&](auto d, int64_t i) HWY_ATTR {
      return hn::MulAdd(hn::Set(d, 3.0f), hn::LoadU(d, s.b + i), hn::LoadU(d, s.a + i));
    });
  }
  if (s.kind != StreamKind::kRead) return 0;
  constexpr int64_t kChunk = 1 << 16;
  double sum = 0;
  for (int64_t begin = part.begin; begin < part.end; begin += kChunk) {
    sum += sum_of<float>(begin, HWY_MIN(begin + kChunk, part.end), load_a);
  }
  return sum;
}

template <int kReads, int kWrites, bool kStream>
HWY_INLINE void pattern_rows(const PatternPass& s, const Part& part) {
  for_vectors<float>(part.begin, part.end, [&](auto d, int64_t i) HWY_ATTR {
    auto sum = hn::LoadU(d, s.in[0] + i);
    for (int k = 1; k < kReads; ++k) sum = hn::Add(sum, hn::LoadU(d, s.in[k] + i));
    const auto mean = hn::Mul(sum, hn::Set(d, 1.0f / kReads));
    for (int k = 0; k < kWrites; ++k) {
      if constexpr (kStream && hn::MaxLanes(d) > 1) {
        hn::Stream(mean, d, s.out[k] + i);
      } else {
        hn::StoreU(mean, d, s.out[k] + i);
      }
    }
  });
  if constexpr (kStream) hwy::FlushStream();
}

template <bool kStream>
HWY_INLINE void pattern_of_kind(const PatternPass& s, const Part& part) {
  const int kind = 10 * s.pattern.reads + s.pattern.writes;
  if (kind == 21) pattern_rows<2, 1, kStream>(s, part);
  if (kind == 22) pattern_rows<2, 2, kStream>(s, part);
  if (kind == 31) pattern_rows<3, 1, kStream>(s, part);
  if (kind == 43) pattern_rows<4, 3, kStream>(s, part);
}

inline void pattern_part(const PatternPass& s, const Part& part) {
  if (s.non_temporal) {
    pattern_of_kind<true>(s, part);
  } else {
    pattern_of_kind<false>(s, part);
  }
}

inline void exp_block(const float* x, int64_t size, float* y) {
  for_vectors<float>(0, size, [&](auto d, int64_t i) HWY_ATTR {
    hn::StoreU(exp_of(d, hn::LoadU(d, x + i)), d, y + i);
  });
}

}  // namespace bench::kernels::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
