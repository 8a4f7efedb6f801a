// Vector code of the conversions, read once for each instruction set.
#include "kernels/cpu/pairs-inl.h"

HWY_BEFORE_NAMESPACE();
namespace bench::kernels::cpu::HWY_NAMESPACE {

template <class From, class To, bool kStream>
HWY_INLINE void convert(const From* from, To* to, const Part& part) {
  for_vectors<To>(part.begin, part.end, [&](auto d, int64_t i) HWY_ATTR {
    const auto v = load(d, from + i);
    if constexpr (kStream && hn::MaxLanes(d) > 1) {
      stream(v, d, to + i);
    } else {
      store(v, d, to + i);
    }
  });
  if constexpr (kStream) hwy::FlushStream();
}

template <class T>
void convert_narrow_part(const ConvertNarrow<T>& a, const Part& part, bool stream) {
  if (stream) {
    convert<Wide<T>, T, true>(a.x, a.y, part);
  } else {
    convert<Wide<T>, T, false>(a.x, a.y, part);
  }
}

template <class T>
void convert_widen_part(const ConvertWiden<T>& a, const Part& part, bool stream) {
  if (stream) {
    convert<T, Wide<T>, true>(a.x, a.y, part);
  } else {
    convert<T, Wide<T>, false>(a.x, a.y, part);
  }
}

inline ConvertTables convert_tables() {
  return {{convert_narrow_part<float>, convert_widen_part<float>},
          {convert_narrow_part<double>, convert_widen_part<double>},
          {convert_narrow_part<bfloat16>, convert_widen_part<bfloat16>}};
}

}  // namespace bench::kernels::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
